import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * One Elasticsearch node on loopback, without security: {@code java -p SERVER --add-modules ALL-MODULE-PATH -cp LIBRARIES
 * ElasticsearchNode.java DIRECTORY MODULE…}, where each MODULE is the jar of one. It prints
 * {@code listening 127.0.0.1:PORT} and lives until its standard input ends, so that it cannot outlive a test.
 */
public final class ElasticsearchNode {
    private static final String DESCRIPTOR = "plugin-descriptor.properties";

    public static void main(String[] args) throws Exception {
        LogConfigurator.configureESLogging();
        Path home = Path.of(args[0]).toAbsolutePath();
        Files.createDirectories(home.resolve("config"));
        install(home.resolve("modules"), args);
        Settings settings = Settings.builder()
            .put("path.home", home.toString())
            .put("cluster.name", "e2e")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", "0")
            .put("transport.port", "0")
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .put("action.destructive_requires_name", false)
            .put("xpack.security.enabled", false)
            .build();
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "e2e");
        PluginsLoader modules = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir()), Set.of(), Map.of());
        try (Node node = new Node(environment, modules)) {
            node.start();
            HttpServerTransport http = node.injector().getInstance(HttpServerTransport.class);
            System.out.println("listening " + http.boundAddress().publishAddress());
            while (System.in.read() >= 0) {
                continue;
            }
        }
    }

    /** Lays the modules out as a distribution does; their descriptors name only what is here. */
    private static void install(Path modules, String[] args) throws IOException {
        Map<Path, Properties> descriptors = new HashMap<>();
        for (int i = 1; i < args.length; i++) {
            Path jar = Path.of(args[i]);
            descriptors.put(jar, descriptor(jar));
        }
        Set<String> names = descriptors.values().stream().map(d -> d.getProperty("name")).collect(Collectors.toSet());
        for (Map.Entry<Path, Properties> module : descriptors.entrySet()) {
            Properties descriptor = module.getValue();
            Path dir = Files.createDirectories(modules.resolve(descriptor.getProperty("name")));
            Files.createSymbolicLink(dir.resolve(module.getKey().getFileName()), module.getKey());
            descriptor.remove("modulename"); // its libraries are on the class path
            descriptor.setProperty("extended.plugins", Stream.of(descriptor.getProperty("extended.plugins", "").split(","))
                .filter(names::contains).collect(Collectors.joining(",")));
            try (OutputStream out = Files.newOutputStream(dir.resolve(DESCRIPTOR))) {
                descriptor.store(out, null);
            }
        }
    }

    private static Properties descriptor(Path jar) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            ZipEntry entry = zip.stream().filter(e -> e.getName().endsWith("/" + DESCRIPTOR)).findFirst().orElseThrow();
            Properties descriptor = new Properties();
            try (InputStream in = zip.getInputStream(entry)) {
                descriptor.load(in);
            }
            return descriptor;
        }
    }
}
