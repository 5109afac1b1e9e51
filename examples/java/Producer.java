import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Publish a file of scans to truyvet: java -cp "libs/*" Producer.java scans.ndjson
 *
 * <p>One scan a line, as JSON, each with the event_id it was given when it was made. The file can
 * be published again, whole or in part, as often as it takes: a scan counts once.
 */
public final class Producer {
    private static final String TOPIC = "scans.v1";
    // a JSON library's job in a real program; here the example needs kafka-clients only
    private static final Pattern PERSON = Pattern.compile("\"person\"\\s*:\\s*\"([0-9A-Z]{13})\"");

    public static void main(String[] arguments) throws Exception {
        String bootstrap = System.getenv().getOrDefault("KAFKA_BOOTSTRAP", "127.0.0.1:9092");
        Map<String, Object> settings = Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap,
            ProducerConfig.ACKS_CONFIG, "all",
            // the client's own retries neither repeat nor reorder
            ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true,
            ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4",
            ProducerConfig.LINGER_MS_CONFIG, 20,
            ProducerConfig.BATCH_SIZE_CONFIG, 256 * 1024,
            // how long it retries by itself before it gives up
            ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 120_000,
            ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class,
            ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        AtomicLong published = new AtomicLong();
        AtomicReference<Exception> failure = new AtomicReference<>();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings);
                Stream<String> lines = Files.lines(Path.of(arguments[0]))) {
            lines.filter(line -> !line.isBlank()).forEach(scan -> {
                Matcher person = PERSON.matcher(scan);
                if (!person.find()) {
                    throw new IllegalArgumentException("no person in: " + scan);
                }
                // the key is the person's 13 characters; the default partitioner is murmur2 of it
                byte[] key = person.group(1).getBytes(StandardCharsets.US_ASCII);
                byte[] value = scan.getBytes(StandardCharsets.UTF_8);
                producer.send(new ProducerRecord<>(TOPIC, key, value), (metadata, error) -> {
                    if (error == null) {
                        published.incrementAndGet();
                    } else {
                        failure.compareAndSet(null, error);
                    }
                });
            });
        } // closing waits for every acknowledgement
        if (failure.get() != null) {
            // some may be there all the same: publish the same file again
            System.err.println("not all acknowledged, the first: " + failure.get());
            System.exit(1);
        }
        System.out.println(published + " published");
    }
}
