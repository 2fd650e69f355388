import { bool, fill, int32, list, mapList, opt, req, root, setOf, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const ExemptPriorityLevelConfiguration = struct('ExemptPriorityLevelConfiguration', {
  nominalConcurrencyShares: opt(1, int32, 'Its share of the seats, against those of other levels.'),
  lendablePercent: opt(2, int32, 'How much of its seats others may borrow.'),
})
export interface ExemptPriorityLevelConfiguration extends Of<typeof ExemptPriorityLevelConfiguration> {}

export const FlowDistinguisherMethod = struct('FlowDistinguisherMethod', {
  type: req(1, string, 'ByUser or ByNamespace.'),
})
export interface FlowDistinguisherMethod extends Of<typeof FlowDistinguisherMethod> {}

export const NonResourcePolicyRule = struct('NonResourcePolicyRule', {
  verbs: req(1, setOf(string), 'Which verbs; * is all.'),
  nonResourceURLs: req(6, setOf(string), 'Which paths; a * at the end stands for anything.'),
})
export interface NonResourcePolicyRule extends Of<typeof NonResourcePolicyRule> {}

export const ResourcePolicyRule = struct('ResourcePolicyRule', {
  verbs: req(1, setOf(string), 'Which verbs; * is all.'),
  apiGroups: req(2, setOf(string), 'Which groups; * is all.'),
  resources: req(3, setOf(string), 'Which resources; * is all.'),
  clusterScope: zero(4, bool, 'Requests without a namespace count too.'),
  namespaces: fill(5, setOf(string), 'In which namespaces; * is all.'),
})
export interface ResourcePolicyRule extends Of<typeof ResourcePolicyRule> {}

export const GroupSubject = struct('GroupSubject', {
  name: req(1, string, 'Of the group; * is every one.'),
})
export interface GroupSubject extends Of<typeof GroupSubject> {}

export const ServiceAccountSubject = struct('ServiceAccountSubject', {
  namespace: req(1, string, 'Of the account.'),
  name: req(2, string, 'Of the account; * is every one.'),
})
export interface ServiceAccountSubject extends Of<typeof ServiceAccountSubject> {}

export const UserSubject = struct('UserSubject', {
  name: req(1, string, 'Of the user; * is every one.'),
})
export interface UserSubject extends Of<typeof UserSubject> {}

export const Subject = struct('Subject', {
  kind: req(1, string, 'User, Group or ServiceAccount: which of the others is given.'),
  user: opt(2, UserSubject, 'A user by name.'),
  group: opt(3, GroupSubject, 'A group by name.'),
  serviceAccount: opt(4, ServiceAccountSubject, 'A service account.'),
})
export interface Subject extends Of<typeof Subject> {}

export const PolicyRulesWithSubjects = struct('PolicyRulesWithSubjects', {
  subjects: req(1, list(Subject), 'Who; one of them must fit.'),
  resourceRules: zero(2, list(ResourcePolicyRule), 'What they do to resources; one of all rules must fit.'),
  nonResourceRules: zero(3, list(NonResourcePolicyRule), 'What they do to paths.'),
})
export interface PolicyRulesWithSubjects extends Of<typeof PolicyRulesWithSubjects> {}

export const PriorityLevelConfigurationReference = struct('PriorityLevelConfigurationReference', {
  name: req(1, string, 'Of the level.'),
})
export interface PriorityLevelConfigurationReference extends Of<typeof PriorityLevelConfigurationReference> {}

export const FlowSchemaSpec = struct('FlowSchemaSpec', {
  priorityLevelConfiguration: req(1, PriorityLevelConfigurationReference, 'The level they have.'),
  matchingPrecedence: fill(2, int32, 'Lower ones are tried first.'),
  distinguisherMethod: opt(3, FlowDistinguisherMethod, 'How they are told apart: by user or by namespace.'),
  rules: zero(4, list(PolicyRulesWithSubjects), 'The requests.'),
}, 'Which requests are meant.')
export interface FlowSchemaSpec extends Of<typeof FlowSchemaSpec> {}

export const FlowSchemaCondition = struct('FlowSchemaCondition', {
  type: zero(1, string, 'What the statement is about.'),
  status: zero(2, string, 'True, False or Unknown.'),
  lastTransitionTime: fill(3, time, 'When the status last changed.'),
  reason: zero(4, string, 'Why, in one word.'),
  message: zero(5, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface FlowSchemaCondition extends Of<typeof FlowSchemaCondition> {}

export const FlowSchemaStatus = struct('FlowSchemaStatus', {
  conditions: zero(1, mapList(FlowSchemaCondition, ['type']), { doc: 'What is true of it at the moment, by type.', patch: 'merge', key: 'type' }),
})
export interface FlowSchemaStatus extends Of<typeof FlowSchemaStatus> {}

export const FlowSchema = root('FlowSchema', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, FlowSchemaSpec, 'What is wanted.'),
  status: fill(3, FlowSchemaStatus, 'What is, reported by the system.'),
}, 'Which requests share a level of priority.')
export interface FlowSchema extends Of<typeof FlowSchema> {}

export const QueuingConfiguration = struct('QueuingConfiguration', {
  queues: fill(1, int32, 'How many queues there are.'),
  handSize: fill(2, int32, 'How many of them a flow may use.'),
  queueLengthLimit: fill(3, int32, 'How many requests may wait in each.'),
})
export interface QueuingConfiguration extends Of<typeof QueuingConfiguration> {}

export const LimitResponse = struct('LimitResponse', {
  type: req(1, string, 'Queue or Reject: what becomes of requests for which there is no seat.'),
  queuing: opt(2, QueuingConfiguration, 'How they wait.'),
})
export interface LimitResponse extends Of<typeof LimitResponse> {}

export const LimitedPriorityLevelConfiguration = struct('LimitedPriorityLevelConfiguration', {
  nominalConcurrencyShares: opt(1, int32, 'Its share. Default 30.'),
  limitResponse: fill(2, LimitResponse, 'What becomes of requests above the limit.'),
  lendablePercent: opt(3, int32, 'How much of its share others may use.'),
  borrowingLimitPercent: opt(4, int32, 'How much it may use of others.'),
}, 'Limits of a level.')
export interface LimitedPriorityLevelConfiguration extends Of<typeof LimitedPriorityLevelConfiguration> {}

export const PriorityLevelConfigurationSpec = struct('PriorityLevelConfigurationSpec', {
  type: req(1, string, 'Limited, or Exempt from all limits.'),
  limited: opt(2, LimitedPriorityLevelConfiguration, 'The limits.'),
  exempt: opt(3, ExemptPriorityLevelConfiguration, 'The share, though there are no limits.'),
}, 'How many requests are served at a time.')
export interface PriorityLevelConfigurationSpec extends Of<typeof PriorityLevelConfigurationSpec> {}

export const PriorityLevelConfigurationCondition = struct('PriorityLevelConfigurationCondition', {
  type: zero(1, string, 'What the statement is about.'),
  status: zero(2, string, 'True, False or Unknown.'),
  lastTransitionTime: fill(3, time, 'When the status last changed.'),
  reason: zero(4, string, 'Why, in one word.'),
  message: zero(5, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface PriorityLevelConfigurationCondition extends Of<typeof PriorityLevelConfigurationCondition> {}

export const PriorityLevelConfigurationStatus = struct('PriorityLevelConfigurationStatus', {
  conditions: zero(1, mapList(PriorityLevelConfigurationCondition, ['type']), { doc: 'What is true of it at the moment, by type.', patch: 'merge', key: 'type' }),
})
export interface PriorityLevelConfigurationStatus extends Of<typeof PriorityLevelConfigurationStatus> {}

export const PriorityLevelConfiguration = root('PriorityLevelConfiguration', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, PriorityLevelConfigurationSpec, 'What is wanted.'),
  status: fill(3, PriorityLevelConfigurationStatus, 'What is, reported by the system.'),
}, 'How many requests are served at a time.')
export interface PriorityLevelConfiguration extends Of<typeof PriorityLevelConfiguration> {}

const gv = groupVersion('flowcontrol.apiserver.k8s.io', 'v1')

export const flowschemas = gv.resource(FlowSchema, { plural: 'flowschemas', subresources: ['status'] })
export const prioritylevelconfigurations = gv.resource(PriorityLevelConfiguration, { plural: 'prioritylevelconfigurations', subresources: ['status'] })
