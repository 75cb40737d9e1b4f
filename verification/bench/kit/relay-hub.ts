/** `relay-hub.ts FILE` hosts an event hub with this log file, and a group that receives every event. Prints its port. */
import { systemClock } from "@tercel/grpc";
import { EventHub, EventLog, hostHub } from "@tercel/service/events";
import { relayedTopic, silentLog } from "./relay-load.ts";

const [path = ""] = process.argv.slice(2);
const clock = systemClock;
const log = silentLog;
const hub = new EventHub(await EventLog.open({ path }, clock), { log, clock, description: "hub" });
hub.consume({ topic: relayedTopic, group: "bench", maxInFlight: 1000 }, (delivery) => {
  void delivery.acknowledge();
});
const { port } = await hostHub(hub, { host: "127.0.0.1", port: 0 }, { isInsecure: false, log, clock });
console.log(JSON.stringify({ port }));
