export {
  type DefinedErrors,
  defineErrors,
  type EnumObject,
  type ReasonError,
  type ReasonErrorInit,
  type ReasonMetadata,
  type ReasonName,
} from "./define-errors.ts";
