// Publish a file of scans to truyvet: `npm ci && node producer.mjs scans.ndjson`
//
// One scan a line, as JSON, each with the `event_id` it was given when it was made. The file can
// be published again, whole or in part, as often as it takes: a scan counts once.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { CompressionTypes, Kafka, Partitioners, logLevel } from "kafkajs";

const TOPIC = "scans.v1";
const AT_ONCE = 1_000; // records in one request: kafkajs does not gather them by itself

const kafka = new Kafka({
  clientId: "gate-1",
  brokers: (process.env.KAFKA_BOOTSTRAP ?? "127.0.0.1:9092").split(","),
  logLevel: logLevel.ERROR,
  retry: { retries: 10, maxRetryTime: 30_000 },
});
const producer = kafka.producer({
  // murmur2 as in Java; the one called LegacyPartitioner puts keys elsewhere
  createPartitioner: Partitioners.DefaultPartitioner,
  idempotent: true, // the client's own retries neither repeat nor reorder
  maxInFlightRequests: 1,
});

async function send(messages) {
  // acks -1 is "all": acknowledged when every in-sync copy has it. gzip is built in; lz4 and
  // zstd need a codec of their own
  await producer.send({ topic: TOPIC, messages, acks: -1, compression: CompressionTypes.GZIP });
  return messages.length;
}

async function publish(path) {
  let published = 0;
  let messages = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (line.trim() === "") continue;
    // the key is the person's 13 characters; the value is the line as it is, never parsed and
    // written again: a retry must be the same bytes
    messages.push({ key: JSON.parse(line).person, value: line });
    if (messages.length >= AT_ONCE) {
      published += await send(messages);
      messages = [];
    }
  }
  return messages.length > 0 ? published + (await send(messages)) : published;
}

await producer.connect();
try {
  // an exception (and exit code 1) means: some may be there, publish the same file again
  console.log(`${await publish(process.argv[2])} published`);
} finally {
  await producer.disconnect();
}
