// Hosts an event hub: the log's file, the port. Prints "ready".
import { systemClock } from "@tercel/grpc";
import { EventHub } from "../../src/events/hub/event-hub.ts";
import { EventLog } from "../../src/events/hub/event-log.ts";
import { hostHub } from "../../src/events/hub/host-hub.ts";

const [path = "", port = ""] = process.argv.slice(2);
const log = { debug() {}, info() {}, warn() {}, error() {} };
const clock = systemClock;
const hub = new EventHub(await EventLog.open({ path }, clock), { log, clock, description: "hub" });
await hostHub(hub, { host: "127.0.0.1", port: Number(port) }, { isInsecure: false, log, clock });
console.log("ready");
