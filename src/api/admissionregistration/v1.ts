import { bytes, fill, int32, int64, list, mapList, must, oneOf, opt, req, root, setOf, string, struct, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { Condition, LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const ApplyConfiguration = struct('ApplyConfiguration', {
  expression: zero(1, string),
})
export interface ApplyConfiguration extends Of<typeof ApplyConfiguration> {}

export const AuditAnnotation = struct('AuditAnnotation', {
  key: req(1, string),
  valueExpression: req(2, string),
})
export interface AuditAnnotation extends Of<typeof AuditAnnotation> {}

export const ExpressionWarning = struct('ExpressionWarning', {
  fieldRef: req(2, string),
  warning: req(3, string),
})
export interface ExpressionWarning extends Of<typeof ExpressionWarning> {}

export const FailurePolicyType = oneOf('Ignore', 'Fail')
export type FailurePolicyType = Of<typeof FailurePolicyType>

export const JSONPatch = struct('JSONPatch', {
  expression: zero(1, string),
})
export interface JSONPatch extends Of<typeof JSONPatch> {}

export const MatchCondition = struct('MatchCondition', {
  name: req(1, string),
  expression: req(2, string),
})
export interface MatchCondition extends Of<typeof MatchCondition> {}

export const MatchPolicyType = oneOf('Exact', 'Equivalent')
export type MatchPolicyType = Of<typeof MatchPolicyType>

export const OperationType = oneOf('*', 'CREATE', 'UPDATE', 'DELETE', 'CONNECT')
export type OperationType = Of<typeof OperationType>

export const ScopeType = oneOf('Cluster', 'Namespaced', '*')
export type ScopeType = Of<typeof ScopeType>

export const Rule = struct('Rule', {
  apiGroups: zero(1, list(string)),
  apiVersions: zero(2, list(string)),
  resources: zero(3, list(string)),
  scope: opt(4, ScopeType),
})
export interface Rule extends Of<typeof Rule> {}

export const RuleWithOperations = struct('RuleWithOperations', {
  operations: zero(1, list(OperationType)),
  rule: fill(2, Rule, { inline: true }),
})
export interface RuleWithOperations extends Of<typeof RuleWithOperations> {}

export const NamedRuleWithOperations = struct('NamedRuleWithOperations', {
  resourceNames: zero(1, list(string)),
  ruleWithOperations: fill(2, RuleWithOperations, { inline: true }),
}, { atomic: true })
export interface NamedRuleWithOperations extends Of<typeof NamedRuleWithOperations> {}

export const MatchResources = struct('MatchResources', {
  namespaceSelector: opt(1, LabelSelector),
  objectSelector: opt(2, LabelSelector),
  resourceRules: zero(3, list(NamedRuleWithOperations)),
  excludeResourceRules: zero(4, list(NamedRuleWithOperations)),
  matchPolicy: opt(7, MatchPolicyType),
}, { atomic: true })
export interface MatchResources extends Of<typeof MatchResources> {}

export const PatchType = oneOf('ApplyConfiguration', 'JSONPatch')
export type PatchType = Of<typeof PatchType>

export const Mutation = struct('Mutation', {
  patchType: req(2, PatchType),
  applyConfiguration: opt(3, ApplyConfiguration),
  jsonPatch: opt(4, JSONPatch),
})
export interface Mutation extends Of<typeof Mutation> {}

export const ParamKind = struct('ParamKind', {
  apiVersion: zero(1, string),
  kind: zero(2, string),
}, { atomic: true })
export interface ParamKind extends Of<typeof ParamKind> {}

export const ReinvocationPolicyType = oneOf('Never', 'IfNeeded')
export type ReinvocationPolicyType = Of<typeof ReinvocationPolicyType>

export const Variable = struct('Variable', {
  name: req(1, string),
  expression: req(2, string),
}, { atomic: true })
export interface Variable extends Of<typeof Variable> {}

export const MutatingAdmissionPolicySpec = struct('MutatingAdmissionPolicySpec', {
  paramKind: opt(1, ParamKind),
  matchConstraints: opt(2, MatchResources),
  variables: zero(3, list(Variable)),
  mutations: zero(4, list(Mutation)),
  failurePolicy: opt(5, FailurePolicyType),
  matchConditions: zero(6, mapList(MatchCondition, ['name']), { patch: 'merge', key: 'name' }),
  reinvocationPolicy: zero(7, ReinvocationPolicyType),
})
export interface MutatingAdmissionPolicySpec extends Of<typeof MutatingAdmissionPolicySpec> {}

export const MutatingAdmissionPolicy = root('MutatingAdmissionPolicy', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, MutatingAdmissionPolicySpec),
})
export interface MutatingAdmissionPolicy extends Of<typeof MutatingAdmissionPolicy> {}

export const ParamRef = struct('ParamRef', {
  name: zero(1, string),
  namespace: zero(2, string),
  selector: opt(3, LabelSelector),
  parameterNotFoundAction: opt(4, string),
}, { atomic: true })
export interface ParamRef extends Of<typeof ParamRef> {}

export const MutatingAdmissionPolicyBindingSpec = struct('MutatingAdmissionPolicyBindingSpec', {
  policyName: zero(1, string),
  paramRef: opt(2, ParamRef),
  matchResources: opt(3, MatchResources),
})
export interface MutatingAdmissionPolicyBindingSpec extends Of<typeof MutatingAdmissionPolicyBindingSpec> {}

export const MutatingAdmissionPolicyBinding = root('MutatingAdmissionPolicyBinding', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, MutatingAdmissionPolicyBindingSpec),
})
export interface MutatingAdmissionPolicyBinding extends Of<typeof MutatingAdmissionPolicyBinding> {}

export const SideEffectClass = oneOf('Unknown', 'None', 'Some', 'NoneOnDryRun')
export type SideEffectClass = Of<typeof SideEffectClass>

export const ServiceReference = struct('ServiceReference', {
  namespace: req(1, string),
  name: req(2, string),
  path: opt(3, string),
  port: opt(4, int32),
})
export interface ServiceReference extends Of<typeof ServiceReference> {}

export const WebhookClientConfig = struct('WebhookClientConfig', {
  url: opt(3, string),
  service: opt(1, ServiceReference),
  caBundle: zero(2, bytes),
})
export interface WebhookClientConfig extends Of<typeof WebhookClientConfig> {}

export const MutatingWebhook = struct('MutatingWebhook', {
  name: req(1, string),
  clientConfig: req(2, WebhookClientConfig),
  rules: zero(3, list(RuleWithOperations)),
  failurePolicy: opt(4, FailurePolicyType),
  matchPolicy: opt(9, MatchPolicyType),
  namespaceSelector: opt(5, LabelSelector),
  objectSelector: opt(11, LabelSelector),
  sideEffects: must(6, SideEffectClass),
  timeoutSeconds: opt(7, int32),
  admissionReviewVersions: req(8, list(string)),
  reinvocationPolicy: opt(10, ReinvocationPolicyType),
  matchConditions: zero(12, mapList(MatchCondition, ['name']), { patch: 'merge', key: 'name' }),
})
export interface MutatingWebhook extends Of<typeof MutatingWebhook> {}

export const MutatingWebhookConfiguration = root('MutatingWebhookConfiguration', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  webhooks: zero(2, mapList(MutatingWebhook, ['name']), { doc: 'The webhooks.', patch: 'merge', key: 'name' }),
}, 'Webhooks that may change what is written.')
export interface MutatingWebhookConfiguration extends Of<typeof MutatingWebhookConfiguration> {}

export const TypeChecking = struct('TypeChecking', {
  expressionWarnings: zero(1, list(ExpressionWarning)),
})
export interface TypeChecking extends Of<typeof TypeChecking> {}

export const Validation = struct('Validation', {
  expression: req(1, string),
  message: zero(2, string),
  reason: opt(3, string),
  messageExpression: zero(4, string),
})
export interface Validation extends Of<typeof Validation> {}

export const ValidatingAdmissionPolicySpec = struct('ValidatingAdmissionPolicySpec', {
  paramKind: opt(1, ParamKind),
  matchConstraints: opt(2, MatchResources),
  validations: zero(3, list(Validation)),
  failurePolicy: opt(4, FailurePolicyType),
  auditAnnotations: zero(5, list(AuditAnnotation)),
  matchConditions: zero(6, mapList(MatchCondition, ['name']), { patch: 'merge', key: 'name' }),
  variables: zero(7, mapList(Variable, ['name']), { patch: 'merge', key: 'name' }),
})
export interface ValidatingAdmissionPolicySpec extends Of<typeof ValidatingAdmissionPolicySpec> {}

export const ValidatingAdmissionPolicyStatus = struct('ValidatingAdmissionPolicyStatus', {
  observedGeneration: zero(1, int64),
  typeChecking: opt(2, TypeChecking),
  conditions: zero(3, mapList(Condition, ['type'])),
})
export interface ValidatingAdmissionPolicyStatus extends Of<typeof ValidatingAdmissionPolicyStatus> {}

export const ValidatingAdmissionPolicy = root('ValidatingAdmissionPolicy', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, ValidatingAdmissionPolicySpec),
  status: fill(3, ValidatingAdmissionPolicyStatus),
})
export interface ValidatingAdmissionPolicy extends Of<typeof ValidatingAdmissionPolicy> {}

export const ValidationAction = oneOf('Deny', 'Warn', 'Audit')
export type ValidationAction = Of<typeof ValidationAction>

export const ValidatingAdmissionPolicyBindingSpec = struct('ValidatingAdmissionPolicyBindingSpec', {
  policyName: zero(1, string, { required: true }),
  paramRef: opt(2, ParamRef),
  matchResources: opt(3, MatchResources),
  validationActions: zero(4, setOf(ValidationAction), { required: true }),
})
export interface ValidatingAdmissionPolicyBindingSpec extends Of<typeof ValidatingAdmissionPolicyBindingSpec> {}

export const ValidatingAdmissionPolicyBinding = root('ValidatingAdmissionPolicyBinding', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, ValidatingAdmissionPolicyBindingSpec, { required: true }),
})
export interface ValidatingAdmissionPolicyBinding extends Of<typeof ValidatingAdmissionPolicyBinding> {}

export const ValidatingWebhook = struct('ValidatingWebhook', {
  name: req(1, string),
  clientConfig: req(2, WebhookClientConfig),
  rules: zero(3, list(RuleWithOperations)),
  failurePolicy: opt(4, FailurePolicyType),
  matchPolicy: opt(9, MatchPolicyType),
  namespaceSelector: opt(5, LabelSelector),
  objectSelector: opt(10, LabelSelector),
  sideEffects: must(6, SideEffectClass),
  timeoutSeconds: opt(7, int32),
  admissionReviewVersions: req(8, list(string)),
  matchConditions: zero(11, mapList(MatchCondition, ['name']), { patch: 'merge', key: 'name' }),
})
export interface ValidatingWebhook extends Of<typeof ValidatingWebhook> {}

export const ValidatingWebhookConfiguration = root('ValidatingWebhookConfiguration', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  webhooks: zero(2, mapList(ValidatingWebhook, ['name']), { doc: 'The webhooks.', patch: 'merge', key: 'name' }),
}, 'Webhooks that are asked before something is written.')
export interface ValidatingWebhookConfiguration extends Of<typeof ValidatingWebhookConfiguration> {}

const gv = groupVersion('admissionregistration.k8s.io', 'v1')

export const mutatingadmissionpolicies = gv.resource(MutatingAdmissionPolicy, { plural: 'mutatingadmissionpolicies', categories: ['api-extensions'] })
export const mutatingadmissionpolicybindings = gv.resource(MutatingAdmissionPolicyBinding, { plural: 'mutatingadmissionpolicybindings', categories: ['api-extensions'] })
export const mutatingwebhookconfigurations = gv.resource(MutatingWebhookConfiguration, { plural: 'mutatingwebhookconfigurations', categories: ['api-extensions'] })
export const validatingadmissionpolicies = gv.resource(ValidatingAdmissionPolicy, { plural: 'validatingadmissionpolicies', categories: ['api-extensions'], subresources: ['status'] })
export const validatingadmissionpolicybindings = gv.resource(ValidatingAdmissionPolicyBinding, { plural: 'validatingadmissionpolicybindings', categories: ['api-extensions'] })
export const validatingwebhookconfigurations = gv.resource(ValidatingWebhookConfiguration, { plural: 'validatingwebhookconfigurations', categories: ['api-extensions'] })
