// Shared by the packages of this repository; may change in any version.

export { developmentIssuer, developmentTokenPurpose } from "./kit/calls/trusted-tokens.ts";
export { builtInConcerns, knownProviders } from "./kit/providers/built-in-providers.ts";
export { createSecrets } from "./kit/run-config/service-secret.ts";
export { onNpmEnd } from "./lifecycle/npm-end.ts";
