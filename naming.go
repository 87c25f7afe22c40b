package main

// logPrefix opens a log line as the engine's own plugins do.
func logPrefix(name string) string {
	if name == "" {
		return "[input:" + pluginName + "] "
	}
	return "[input:" + pluginName + ":" + name + "] "
}

// settings looks up the settings of an instance whose name the engine told: the
// name is what engine_input has to be, so nobody needs to write it down.
func settings(get func(key string) string, name string) func(key string) string {
	return func(key string) string {
		value := get(key)
		if key == "engine_input" && value == "" {
			return name
		}
		return value
	}
}
