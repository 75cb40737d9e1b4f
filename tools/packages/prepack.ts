// What npm runs in a package's folder before it packs or publishes that: refuses, because the package.json there is the workspace's own.
console.error(
  "cannot pack this folder, its package.json leads to sources: run npm run pack, and publish what that writes",
);
process.exitCode = 1;
