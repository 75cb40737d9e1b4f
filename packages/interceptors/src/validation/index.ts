export { createValidation, type ValidationOptions } from "./validation.ts";
