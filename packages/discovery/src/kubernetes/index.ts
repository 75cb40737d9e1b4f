export {
  createKubernetesRegistry,
  type KubernetesDnsOptions,
  type KubernetesRegistryOptions,
} from "./kubernetes-registry.ts";
