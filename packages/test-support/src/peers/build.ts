import { buildGoPeer, withoutGo } from "./go-peer.ts";
import { buildOpenApiJudges } from "./openapi-judges.ts";
import { buildPythonPeer, withoutPython } from "./python-peer.ts";
import { buildGoValidators, buildPythonValidators } from "./validators.ts";
import { buildVanguardPeer } from "./vanguard-peer.ts";

// Builds every peer before the tests, and fails if one cannot be built. Called by `.ci/run`.
for (const missing of [withoutGo, withoutPython]) if (missing) throw new Error(missing);
console.log(buildGoPeer());
console.log(buildPythonPeer());
console.log(buildGoValidators());
console.log(buildPythonValidators());
console.log(buildVanguardPeer());
console.log(buildOpenApiJudges());
