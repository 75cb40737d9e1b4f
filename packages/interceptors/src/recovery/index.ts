export { createRecovery, type Panic, type RecoveryOptions } from "./recovery.ts";
