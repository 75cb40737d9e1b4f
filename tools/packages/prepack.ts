// npm runs this before it packs or publishes the folder of a package. It refuses, because the package.json there is for the workspace.
console.error(
  "cannot pack this folder, its package.json leads to sources: run npm run pack, and publish what that writes",
);
process.exitCode = 1;
