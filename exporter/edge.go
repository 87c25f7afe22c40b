package exporter

import (
	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// What the C edge needs of the rooms, so that it imports this package alone.
type (
	// Config is what one [INPUT] section says.
	Config = config.Config
	// Line is a line for the engine's log.
	Line = logline.Line
	// Level is the level of a Line, as the engine numbers it.
	Level = logline.Level
)

// LevelError is the level of what a person must act on.
const LevelError = logline.LevelError

// LevelInfo is the level of what is only good to know.
const LevelInfo = logline.LevelInfo

// Version is the plugin's version, as set when it is linked.
var Version = "dev"

// ParseConfig reads the settings; see config.Parse.
func ParseConfig(get func(key string) string) (Config, error) { return config.Parse(get) }
