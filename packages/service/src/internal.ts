// What the packages of this repository share. No promise is made about it: it may change in any version.

export { developmentIssuer, developmentTokenPurpose } from "./kit/calls/trusted-tokens.ts";
export { builtInConcerns, knownProviders } from "./kit/providers/built-in-providers.ts";
export { createSecrets } from "./kit/run-config/service-secret.ts";
export { onNpmEnd } from "./lifecycle/npm-end.ts";
