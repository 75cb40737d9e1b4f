// A service without a network, to test the supervisor with: what it does is its first argument, and it reports the
// arguments it was given as its address.
import { onParentStop, reportToParent } from "../src/service/parent-messages.ts";

const [behaviour, ...rest] = process.argv.slice(2);
process.stderr.write('{"event":"stub_record"}\nplain text\n');
// Keeps the process alive, as a listening socket would.
const alive = setInterval(() => {}, 60_000);

if (behaviour === "refuse") {
  await reportToParent({ event: "start_failed", problem: "the port is taken" });
  process.exit(1);
}
if (behaviour === "crash") process.exit(7);
if (behaviour === "hang") onParentStop(() => {});
else {
  onParentStop((reason) => {
    process.stderr.write(`stopped by ${reason}\n`);
    clearInterval(alive);
    process.exit(0);
  });
}
if (behaviour !== "silent")
  await reportToParent({ event: "listening", address: ["stub", process.pid, ...rest].join(":") });
