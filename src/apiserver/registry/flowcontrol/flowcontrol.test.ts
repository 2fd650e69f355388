import { describe, expect, it } from 'vitest'
import { flowcontrol, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas } from '../../flowcontrol/objects.ts'
import { createErrors } from '../testing.ts'

const schemas = flowcontrol.flowschemas as unknown as Resource<ApiObject>
const levels = flowcontrol.prioritylevelconfigurations as unknown as Resource<ApiObject>
const named = (body: object, name = 'a') => ({ metadata: { name }, ...body })
const schema = (rule: object, spec: object = {}) => ({ spec: { priorityLevelConfiguration: { name: 'p' }, rules: [{ subjects: [{ kind: 'User', user: { name: 'ana' } }], resourceRules: [everything], ...rule }], ...spec } })
const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }
const path = (...nonResourceURLs: string[]) => schema({ nonResourceRules: [{ verbs: ['*'], nonResourceURLs }] })
const level = (limited: object, spec: object = {}) => ({ spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' }, ...limited }, ...spec } })
const queues = (queuing: object) => level({ limitResponse: { type: 'Queue', queuing } })
const rule = 'spec.rules[0]'
const verbs = '"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"'

describe('what is wrong with', () => {
  it.each<[string, Resource<ApiObject>, object, string[]]>([
    ['nothing: a schema', schemas, schema({}), []],
    ['a schema of no level', schemas, schema({}, { priorityLevelConfiguration: { name: '' } }), ['spec.priorityLevelConfiguration.name: Required value: must reference a priority level']],
    ['a schema out of reach', schemas, schema({}, { matchingPrecedence: 10001 }), ['spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000']],
    ['a schema before all', schemas, schema({}, { matchingPrecedence: 1 }), ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"]],
    ['a schema of nobody', schemas, schema({ subjects: [] }), [`${rule}.subjects: Required value: subjects must contain at least one value`]],
    ['a schema of nothing', schemas, schema({ resourceRules: [] }), [`${rule}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty`]],
    ['a subject of another kind', schemas, schema({ subjects: [{ kind: 'X' }] }), [`${rule}.subjects[0].kind: Unsupported value: "X": supported values: "Group", "ServiceAccount", "User"`]],
    ['a subject of two kinds', schemas, schema({ subjects: [{ kind: 'User', user: { name: '' }, group: { name: 'g' } }] }), [
      `${rule}.subjects[0].user.name: Required value`, `${rule}.subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'`,
    ]],
    ['a subject of all kinds', schemas, schema({ subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: 's', namespace: 'n' }, user: { name: 'u' }, group: { name: 'g' } }] }), [
      `${rule}.subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'`, `${rule}.subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'`,
    ]],
    ['an account of no namespace', schemas, schema({ subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: '' } }] }), [`${rule}.subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account`]],
    ['stars beside others', schemas, schema({ resourceRules: [{ verbs: ['*', 'get'], apiGroups: ['*', ''], resources: ['*', 'pods'], namespaces: ['*', 'a'] }] }), [
      `${rule}.resourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`, `${rule}.resourceRules[0].apiGroups: Invalid value: ["*",""]: if '*' is present, must not specify other api groups`,
      `${rule}.resourceRules[0].resources: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources`, `${rule}.resourceRules[0].namespaces: Invalid value: ["*","a"]: if '*' is present, must not specify other namespaces`,
    ]],
    ['verbs that are none', schemas, schema({ resourceRules: [{ ...everything, verbs: ['get', 'post'] }] }), [`${rule}.resourceRules[0].verbs: Unsupported value: ["get","post"]: supported values: ${verbs}`]],
    ['a path without slash', schemas, path('a', '/a b', '/a//b', '/*/a', '/a/*'), [
      `${rule}.nonResourceRules[0].nonResourceURLs[0]: Invalid value: "a": must start with slash`, `${rule}.nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a b": must not contain white-space`,
      `${rule}.nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a//b": must not contain double slash`, `${rule}.nonResourceRules[0].nonResourceURLs[3]: Invalid value: "/*/a": wildcard can only do suffix matching`,
    ]],
    ['nothing: a level', levels, level({}), []],
    ['nothing: a level of no share', levels, level({ nominalConcurrencyShares: 0 }), []],
    ['a level of another version', levels, { metadata: { name: 'a', annotations: { 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares': '' } }, ...level({}) }, ["metadata.annotations: Forbidden: annotation 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares' is forbidden"]],
    ['a level without limits', levels, { spec: { type: 'Limited' } }, ['spec.limited: Required value: must not be empty when type is Limited']],
    ['a second level without limits', levels, { spec: { type: 'Exempt' } }, [`spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'`]],
    ['shares below nothing', levels, level({ nominalConcurrencyShares: -1, lendablePercent: 101, borrowingLimitPercent: -1 }), [
      'spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer', 'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
      'spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer',
    ]],
    ['a hand larger than the deck', levels, queues({ queues: 4, handSize: 5 }), ['spec.limited.limitResponse.queuing.handSize: Invalid value: 5: should not be greater than queues (4)']],
    ['a hand of too many bits', levels, queues({ queues: 1024, handSize: 7 }), ['spec.limited.limitResponse.queuing.handSize: Invalid value: 7: required entropy bits of deckSize 1024 and handSize 7 should not be greater than 60']],
    ['another response', levels, level({ limitResponse: { type: 'X' } }), ['spec.limited.limitResponse.type: Unsupported value: "X": supported values: "Queue", "Reject"']],
  ])('%s', (_, resource, written, errors) => {
    expect(createErrors(resource, named(written))).toEqual(errors)
  })
})

describe('what every cluster has', () => {
  it('is allowed as it is', () => {
    for (const { name, spec } of [...mandatoryLevels, ...suggestedLevels]) expect(createErrors(levels, named({ spec }, name)), name).toEqual([])
    for (const { name, spec } of [...mandatorySchemas, ...suggestedSchemas]) expect(createErrors(schemas, named({ spec }, name)), name).toEqual([])
  })
  it('does not become anything else', () => {
    const last = (errors: readonly string[]) => errors.at(-1)?.replace(/Invalid value: .*: spec of/, 'Invalid value: spec of')
    expect(last(createErrors(schemas, named(schema({}), 'catch-all')))).toBe("spec: Invalid value: spec of 'catch-all' must equal the fixed value")
    expect(last(createErrors(levels, named(level({ nominalConcurrencyShares: 6 }), 'catch-all')))).toBe("spec: Invalid value: spec of 'catch-all' must equal the fixed value")
    expect(last(createErrors(levels, named(level({}), 'exempt')))).toBe("spec: Invalid value: spec of 'exempt' except the 'spec.exempt' field must equal the fixed value")
    expect(createErrors(levels, named({ spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 7 } } }, 'exempt'))).toEqual([])
  })
})
