export { buildGoPeer, startGoPeer, withoutGo } from "./go-peer.ts";
export { buildOpenApiJudges, checkOpenApiTypes, lintOpenApi, withoutNpm } from "./openapi-judges.ts";
export { buildPythonPeer, startPythonPeer, withoutPython } from "./python-peer.ts";
export {
  checkPrometheus,
  kustomize,
  lintDockerfile,
  loadInEnvoy,
  testPrometheusRules,
  type Validation,
  validateCompose,
  validateEnvoy,
  validateKubernetes,
  withoutEnvoy,
  withoutPromtool,
  withoutValidators,
} from "./validators.ts";
export { buildVanguardPeer, startVanguardPeer } from "./vanguard-peer.ts";
