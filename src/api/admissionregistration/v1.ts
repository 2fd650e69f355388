import { bytes, fill, int32, int64, list, mapList, must, oneOf, opt, req, root, setOf, string, struct, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { Condition, LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const ApplyConfiguration = struct('ApplyConfiguration', {
  expression: zero(1, string, 'A CEL expression that makes the fields to apply: Object{spec: Object.spec{…}}.'),
})
export interface ApplyConfiguration extends Of<typeof ApplyConfiguration> {}

export const AuditAnnotation = struct('AuditAnnotation', {
  key: req(1, string, 'The key, after the name of the policy.'),
  valueExpression: req(2, string, 'A CEL expression that makes its value; null leaves it out.'),
})
export interface AuditAnnotation extends Of<typeof AuditAnnotation> {}

export const ExpressionWarning = struct('ExpressionWarning', {
  fieldRef: req(2, string, 'The field that holds the expression.'),
  warning: req(3, string, 'What is wrong with it.'),
})
export interface ExpressionWarning extends Of<typeof ExpressionWarning> {}

export const FailurePolicyType = oneOf('Ignore', 'Fail')
export type FailurePolicyType = Of<typeof FailurePolicyType>

export const JSONPatch = struct('JSONPatch', {
  expression: zero(1, string, 'A CEL expression that makes a list of JSONPatch{op, path, value}.'),
})
export interface JSONPatch extends Of<typeof JSONPatch> {}

export const MatchCondition = struct('MatchCondition', {
  name: req(1, string, 'Its name.'),
  expression: req(2, string, 'The expression.'),
}, 'A CEL expression that must be true.')
export interface MatchCondition extends Of<typeof MatchCondition> {}

export const MatchPolicyType = oneOf('Exact', 'Equivalent')
export type MatchPolicyType = Of<typeof MatchPolicyType>

export const OperationType = oneOf('*', 'CREATE', 'UPDATE', 'DELETE', 'CONNECT')
export type OperationType = Of<typeof OperationType>

export const ScopeType = oneOf('Cluster', 'Namespaced', '*')
export type ScopeType = Of<typeof ScopeType>

export const Rule = struct('Rule', {
  apiGroups: zero(1, list(string), 'API groups; * for all.'),
  apiVersions: zero(2, list(string), 'Versions; * for all.'),
  resources: zero(3, list(string), 'Resources, such as pods, pods/log or */scale; * for all.'),
  scope: opt(4, ScopeType, 'Cluster, Namespaced or * (the default).'),
}, 'Resources that are meant.')
export interface Rule extends Of<typeof Rule> {}

export const RuleWithOperations = struct('RuleWithOperations', {
  operations: zero(1, list(OperationType), 'CREATE, UPDATE, DELETE, CONNECT or *.'),
  rule: fill(2, Rule, { inline: true }),
}, 'What is done with which resources.')
export interface RuleWithOperations extends Of<typeof RuleWithOperations> {}

export const NamedRuleWithOperations = struct('NamedRuleWithOperations', {
  resourceNames: zero(1, list(string), 'Only objects of these names; empty means all.'),
  ruleWithOperations: fill(2, RuleWithOperations, { inline: true }),
}, { atomic: true })
export interface NamedRuleWithOperations extends Of<typeof NamedRuleWithOperations> {}

export const MatchResources = struct('MatchResources', {
  namespaceSelector: opt(1, LabelSelector, 'Namespaces.'),
  objectSelector: opt(2, LabelSelector, 'Objects.'),
  resourceRules: zero(3, list(NamedRuleWithOperations), 'Resources and what is done with them.'),
  excludeResourceRules: zero(4, list(NamedRuleWithOperations), 'What is not meant.'),
  matchPolicy: opt(7, MatchPolicyType, 'Equivalent (the default) or Exact.'),
}, { doc: 'What a policy is about.', atomic: true })
export interface MatchResources extends Of<typeof MatchResources> {}

export const PatchType = oneOf('ApplyConfiguration', 'JSONPatch')
export type PatchType = Of<typeof PatchType>

export const Mutation = struct('Mutation', {
  patchType: req(2, PatchType, 'ApplyConfiguration or JSONPatch: which of the two is given.'),
  applyConfiguration: opt(3, ApplyConfiguration, 'Fields to apply, as server-side apply does.'),
  jsonPatch: opt(4, JSONPatch, 'Operations to make, one after the other.'),
})
export interface Mutation extends Of<typeof Mutation> {}

export const ParamKind = struct('ParamKind', {
  apiVersion: zero(1, string, 'Its API version.'),
  kind: zero(2, string, 'Its kind.'),
}, { doc: 'A kind of parameters.', atomic: true })
export interface ParamKind extends Of<typeof ParamKind> {}

export const ReinvocationPolicyType = oneOf('Never', 'IfNeeded')
export type ReinvocationPolicyType = Of<typeof ReinvocationPolicyType>

export const Variable = struct('Variable', {
  name: req(1, string, 'The name.'),
  expression: req(2, string, 'The expression.'),
}, { doc: 'An expression with a name.', atomic: true })
export interface Variable extends Of<typeof Variable> {}

export const MutatingAdmissionPolicySpec = struct('MutatingAdmissionPolicySpec', {
  paramKind: opt(1, ParamKind, 'The kind of the objects that parametrize the policy.'),
  matchConstraints: opt(2, MatchResources, 'Which requests the policy is about.'),
  variables: zero(3, list(Variable), 'Named expressions that later ones may use as variables.name.'),
  mutations: zero(4, list(Mutation), 'What to change, in this order.'),
  failurePolicy: opt(5, FailurePolicyType, 'Whether a request fails (Fail, the default) or goes on (Ignore) when the policy cannot be evaluated.'),
  matchConditions: zero(6, mapList(MatchCondition, ['name']), { doc: 'CEL expressions that must all be true for the policy to apply.', patch: 'merge', key: 'name' }),
  reinvocationPolicy: zero(7, ReinvocationPolicyType, 'Whether it runs again (IfNeeded) when others changed the object after it.'),
})
export interface MutatingAdmissionPolicySpec extends Of<typeof MutatingAdmissionPolicySpec> {}

export const MutatingAdmissionPolicy = root('MutatingAdmissionPolicy', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, MutatingAdmissionPolicySpec, 'What is wanted.'),
}, 'CEL expressions that change what is written.')
export interface MutatingAdmissionPolicy extends Of<typeof MutatingAdmissionPolicy> {}

export const ParamRef = struct('ParamRef', {
  name: zero(1, string, 'One object, by name.'),
  namespace: zero(2, string, 'The namespace of the object.'),
  selector: opt(3, LabelSelector, 'Several objects, by labels.'),
  parameterNotFoundAction: opt(4, string, 'What it means when there are none: Allow or Deny.'),
}, { doc: 'Parameters of a policy.', atomic: true })
export interface ParamRef extends Of<typeof ParamRef> {}

export const MutatingAdmissionPolicyBindingSpec = struct('MutatingAdmissionPolicyBindingSpec', {
  policyName: zero(1, string, 'The policy that is bound.'),
  paramRef: opt(2, ParamRef, 'Where its parameters are.'),
  matchResources: opt(3, MatchResources, 'Narrows which requests it is about.'),
})
export interface MutatingAdmissionPolicyBindingSpec extends Of<typeof MutatingAdmissionPolicyBindingSpec> {}

export const MutatingAdmissionPolicyBinding = root('MutatingAdmissionPolicyBinding', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, MutatingAdmissionPolicyBindingSpec, 'What is wanted.'),
}, 'Puts a policy in force.')
export interface MutatingAdmissionPolicyBinding extends Of<typeof MutatingAdmissionPolicyBinding> {}

export const SideEffectClass = oneOf('Unknown', 'None', 'Some', 'NoneOnDryRun')
export type SideEffectClass = Of<typeof SideEffectClass>

export const ServiceReference = struct('ServiceReference', {
  namespace: req(1, string, 'The namespace of the service.'),
  name: req(2, string, 'The name of the service.'),
  path: opt(3, string, 'The path of the requests.'),
  port: opt(4, int32, 'The port. Default 443.'),
}, 'A service of the cluster.')
export interface ServiceReference extends Of<typeof ServiceReference> {}

export const WebhookClientConfig = struct('WebhookClientConfig', {
  url: opt(3, string, 'Its URL, by https.'),
  service: opt(1, ServiceReference, 'A service of the cluster.'),
  caBundle: zero(2, bytes, 'Certificates to check its own with, PEM in base64.'),
}, 'Where a webhook is reached: one of url and service.')
export interface WebhookClientConfig extends Of<typeof WebhookClientConfig> {}

export const MutatingWebhook = struct('MutatingWebhook', {
  name: req(1, string, 'Its name, a domain with three parts or more.'),
  clientConfig: req(2, WebhookClientConfig, 'Where it is reached.'),
  rules: zero(3, list(RuleWithOperations), 'What it is asked about.'),
  failurePolicy: opt(4, FailurePolicyType, 'What its failure means: Fail (the default) or Ignore.'),
  matchPolicy: opt(9, MatchPolicyType, 'Equivalent (the default) to see other versions of a resource too, or Exact.'),
  namespaceSelector: opt(5, LabelSelector, 'Namespaces it is asked about.'),
  objectSelector: opt(11, LabelSelector, 'Objects it is asked about.'),
  sideEffects: must(6, SideEffectClass, 'None, or NoneOnDryRun if it does more than answer.'),
  timeoutSeconds: opt(7, int32, 'How long it may take, from 1 to 30. Default 10.'),
  admissionReviewVersions: req(8, list(string), 'Versions of the question it understands.'),
  reinvocationPolicy: opt(10, ReinvocationPolicyType, 'Never (the default), or IfNeeded to be asked again when others have changed the object.'),
  matchConditions: zero(12, mapList(MatchCondition, ['name']), { doc: 'CEL expressions that must be true for it to be asked.', patch: 'merge', key: 'name' }),
}, 'A webhook that may change what is written.')
export interface MutatingWebhook extends Of<typeof MutatingWebhook> {}

export const MutatingWebhookConfiguration = root('MutatingWebhookConfiguration', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  webhooks: zero(2, mapList(MutatingWebhook, ['name']), { doc: 'The webhooks.', patch: 'merge', key: 'name' }),
}, 'Webhooks that may change what is written.')
export interface MutatingWebhookConfiguration extends Of<typeof MutatingWebhookConfiguration> {}

export const TypeChecking = struct('TypeChecking', {
  expressionWarnings: zero(1, list(ExpressionWarning), 'What is wrong with expressions for the kinds they will see.'),
})
export interface TypeChecking extends Of<typeof TypeChecking> {}

export const Validation = struct('Validation', {
  expression: req(1, string, 'The expression; object, oldObject, request, params and variables can be used.'),
  message: zero(2, string, 'What is said when it is false.'),
  reason: opt(3, string, 'The reason in the answer when it is false.'),
  messageExpression: zero(4, string, 'An expression that makes the message.'),
}, 'An expression that must be true.')
export interface Validation extends Of<typeof Validation> {}

export const ValidatingAdmissionPolicySpec = struct('ValidatingAdmissionPolicySpec', {
  paramKind: opt(1, ParamKind, 'The kind of its parameters.'),
  matchConstraints: opt(2, MatchResources, 'What it is about.'),
  validations: zero(3, list(Validation), 'Expressions that must be true.'),
  failurePolicy: opt(4, FailurePolicyType, 'What an error in an expression means: Fail (the default) or Ignore.'),
  auditAnnotations: zero(5, list(AuditAnnotation), 'Annotations for the audit log.'),
  matchConditions: zero(6, mapList(MatchCondition, ['name']), { doc: 'Expressions that must be true for the policy to be applied.', patch: 'merge', key: 'name' }),
  variables: zero(7, mapList(Variable, ['name']), { doc: 'Expressions with names, for use in others.', patch: 'merge', key: 'name' }),
}, 'What a policy demands.')
export interface ValidatingAdmissionPolicySpec extends Of<typeof ValidatingAdmissionPolicySpec> {}

export const ValidatingAdmissionPolicyStatus = struct('ValidatingAdmissionPolicyStatus', {
  observedGeneration: zero(1, int64, 'The generation that was checked.'),
  typeChecking: opt(2, TypeChecking, 'What was found when expressions were checked against the kinds they will see.'),
  conditions: zero(3, mapList(Condition, ['type']), 'What is true of it at the moment, by type.'),
})
export interface ValidatingAdmissionPolicyStatus extends Of<typeof ValidatingAdmissionPolicyStatus> {}

export const ValidatingAdmissionPolicy = root('ValidatingAdmissionPolicy', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, ValidatingAdmissionPolicySpec, 'What is wanted.'),
  status: fill(3, ValidatingAdmissionPolicyStatus, 'What is, reported by the system.'),
}, 'CEL expressions that must be true for something to be written.')
export interface ValidatingAdmissionPolicy extends Of<typeof ValidatingAdmissionPolicy> {}

export const ValidationAction = oneOf('Deny', 'Warn', 'Audit')
export type ValidationAction = Of<typeof ValidationAction>

export const ValidatingAdmissionPolicyBindingSpec = struct('ValidatingAdmissionPolicyBindingSpec', {
  policyName: zero(1, string, { doc: 'The policy.', required: true }),
  paramRef: opt(2, ParamRef, 'Its parameters.'),
  matchResources: opt(3, MatchResources, 'What it is about here.'),
  validationActions: zero(4, setOf(ValidationAction), { doc: 'Deny, Warn, Audit.', required: true }),
}, 'Where and how a policy is in force.')
export interface ValidatingAdmissionPolicyBindingSpec extends Of<typeof ValidatingAdmissionPolicyBindingSpec> {}

export const ValidatingAdmissionPolicyBinding = root('ValidatingAdmissionPolicyBinding', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, ValidatingAdmissionPolicyBindingSpec, { doc: 'What is wanted.', required: true }),
}, 'Puts a policy in force.')
export interface ValidatingAdmissionPolicyBinding extends Of<typeof ValidatingAdmissionPolicyBinding> {}

export const ValidatingWebhook = struct('ValidatingWebhook', {
  name: req(1, string, 'Its name, a domain with three parts or more.'),
  clientConfig: req(2, WebhookClientConfig, 'Where it is reached.'),
  rules: zero(3, list(RuleWithOperations), 'What it is asked about.'),
  failurePolicy: opt(4, FailurePolicyType, 'What its failure means: Fail (the default) or Ignore.'),
  matchPolicy: opt(9, MatchPolicyType, 'Equivalent (the default) to see other versions of a resource too, or Exact.'),
  namespaceSelector: opt(5, LabelSelector, 'Namespaces it is asked about.'),
  objectSelector: opt(10, LabelSelector, 'Objects it is asked about.'),
  sideEffects: must(6, SideEffectClass, 'None, or NoneOnDryRun if it does more than answer.'),
  timeoutSeconds: opt(7, int32, 'How long it may take, from 1 to 30. Default 10.'),
  admissionReviewVersions: req(8, list(string), 'Versions of the question it understands.'),
  matchConditions: zero(11, mapList(MatchCondition, ['name']), { doc: 'CEL expressions that must be true for it to be asked.', patch: 'merge', key: 'name' }),
}, 'A webhook that is asked before something is written.')
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
