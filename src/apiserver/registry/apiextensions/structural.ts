/** The parts of a definition that are about its schema: see `crd/schema/definition`. */
export { loadRules } from '../../crd/schema/rules/engine.ts'
export { definitionSchema, formatWarnings, printerColumn, scalePaths, selectableFields, structural } from '../../crd/schema/definition/index.ts'
