export { createRecovery, type HandlerFault, type RecoveryOptions } from "./recovery.ts";
