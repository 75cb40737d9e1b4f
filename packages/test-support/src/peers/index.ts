export { buildGoPeer, startGoPeer, withoutGo } from "./go-peer.ts";
export { buildPythonPeer, startPythonPeer, withoutPython } from "./python-peer.ts";
export {
  kustomize,
  lintDockerfile,
  type Validation,
  validateCompose,
  validateEnvoy,
  validateKubernetes,
  withoutValidators,
} from "./validators.ts";
