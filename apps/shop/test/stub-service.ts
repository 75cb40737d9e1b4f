// A service without a network, to test the supervisor with: what it does is its first argument, and it reports the
// arguments it was given as its address.
const [behaviour, ...rest] = process.argv.slice(2);
process.stderr.write('{"message":"stub record"}\n');
process.stdout.write("plain text\n");
// Keeps the process alive, as a listening socket would.
const alive = setInterval(() => {}, 60_000);

if (behaviour === "refuse") {
  process.stderr.write("the port is taken\n");
  process.exit(1);
}
if (behaviour === "crash") process.exit(7);
process.on("SIGTERM", () => {
  if (behaviour === "hang") return;
  process.stderr.write("stopped\n");
  clearInterval(alive);
  process.exit(0);
});
if (behaviour !== "silent") {
  const address = ["stub", process.pid, ...rest].join(":");
  process.stdout.write(`${JSON.stringify({ message: "ready", address })}\n`);
}
