/** Rules of schemas in CEL. Reached through `engine.ts`, so that clusters without them do not load CEL. */
export { compileRuleCheck, defaultRuleErrors } from './evaluate.ts'
export { ruleErrors, type EstimateOptions } from './estimate.ts'
