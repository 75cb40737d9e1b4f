// Plain JavaScript, because it must run on the Node versions that it refuses.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Tercel needs Node 22.18 or newer, but this is ${process.version}.\n` +
      "Run the task through npm (npm start, npm test, npm run …) after `npm ci`: that uses the Node 24 pinned in package.json.",
  );
  process.exit(1);
}
