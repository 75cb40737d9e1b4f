export { createMessageCheck, createValidation, type MessageCheck, type ValidationOptions } from "./validation.ts";
