import { beforeAll, describe, expect, it } from 'vitest'
import { admissionregistration } from '../../../api/index.ts'
import { loadCel } from '../../admission/policies/cel.ts'
import { complete, createErrors, updateErrors } from '../testing.ts'

beforeAll(async () => void (await loadCel()))

const rules = [{ operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }]
const wrong = (spec: object) => createErrors(admissionregistration.validatingadmissionpolicies, { metadata: { name: 'p.example.com' }, spec: { matchConstraints: { resourceRules: rules }, ...spec } })
const wrongMutation = (spec: object) => createErrors(admissionregistration.mutatingadmissionpolicies, { metadata: { name: 'p' }, spec: { matchConstraints: { resourceRules: rules }, reinvocationPolicy: 'Never', ...spec } })

describe('a validating policy', () => {
  it('is accepted as the documentation writes it', () => {
    expect(wrong({ paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, matchConditions: [{ name: 'a', expression: '!has(object.metadata.labels) && params.data.x == "1"' }], variables: [{ name: 'n', expression: 'object.spec.replicas' }], validations: [{ expression: 'variables.n < 5\n || authorizer.path("/x").check("get").allowed()', message: 'm', messageExpression: 'string(variables.n)' }], auditAnnotations: [{ key: 'k', valueExpression: 'variables.n > 3 ? "many" : ""' }] })).toEqual([])
  })
  it('says of each expression what is wrong with it', () => {
    expect(wrong({ validations: [{ expression: '1' }, { expression: 'params.x' }, { expression: 'true', messageExpression: 'authorizer.path("/x").check("get").reason()' }, { expression: 'a\n&& b' }], variables: [{ name: 'a-b', expression: 'true' }, { name: 'c', expression: 'variables.later' }, { name: 'later', expression: '1' }] }).map((line) => line.split('\n')[0])).toEqual([
      'spec.variables[0].name: Invalid value: "a-b": must be a valid CEL identifier',
      `spec.variables[1].expression: Invalid value: "variables.later": compilation failed: ERROR: <input>:1:10: undefined field 'later'`,
      'spec.validations[0].expression: Invalid value: "1": must evaluate to bool but got int',
      `spec.validations[1].expression: Invalid value: "params.x": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')`,
      `spec.validations[2].messageExpression: Invalid value: "authorizer.path(\\"/x\\").check(\\"get\\").reason()": compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')`,
      `spec.validations[3].expression: Invalid value: "a\\n&& b": compilation failed: ERROR: <input>:1:1: undeclared reference to 'a' (in container '')`,
    ])
  })
  it('writes audit annotations under names that the audit log can have', () => {
    const annotations = (...auditAnnotations: object[]) => wrong({ auditAnnotations })
    expect(annotations({ key: 'a b', valueExpression: '"x"' })[0]).toMatch(/^spec.auditAnnotations\[0\].key: Invalid value: "p.example.com\/a b": name part must consist of/)
    expect(annotations({ key: 'a', valueExpression: '1' })).toEqual(['spec.auditAnnotations[0].valueExpression: Invalid value: "1": must evaluate to one of [string null_type] but got int'])
    expect(annotations({ key: 'a', valueExpression: '"x"' }, { key: 'a', valueExpression: '"y"' })).toEqual(['spec.auditAnnotations[1].key: Duplicate value: "a"'])
    expect(annotations({ key: 'a', valueExpression: `"${'x'.repeat(6000)}"` })).toEqual(['spec.auditAnnotations[0].valueExpression: Required value: must not exceed 5120 bytes in length'])
  })
})

describe('the message of a validation', () => {
  const said = (validation: object) => wrong({ validations: [{ expression: 'true &&\n true', ...validation }] })
  it('may be left out whatever the expression looks like, and is one line', () => {
    expect(said({})).toEqual([])
    expect(said({ message: 'one line\n' })).toEqual([])
    expect(said({ message: 'two\rlines' })).toEqual(['spec.validations[0].message: Invalid value: "two\\rlines": must not contain line breaks'])
    expect(said({ message: ' ', messageExpression: ' ' })).toEqual([
      'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified', 'spec.validations[0].message: Invalid value: " ": must be non-empty if specified',
    ])
  })
  it('has one of three reasons', () => {
    expect(said({ reason: 'Unauthorized' })).toEqual(['spec.validations[0].reason: Unsupported value: "Unauthorized": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"'])
  })
})

describe('variables', () => {
  it('have names and expressions, in policies of both kinds', () => {
    const variables = [{ name: ' ', expression: ' ' }, { name: 'namespace', expression: '1' }]
    const errors = ['spec.variables[0].name: Required value: name is not specified', 'spec.variables[0].expression: Required value: expression is not specified', 'spec.variables[1].name: Invalid value: "namespace": must be a valid CEL identifier']
    expect(wrong({ variables, validations: [{ expression: 'true' }] })).toEqual(errors)
    expect(wrongMutation({ variables, mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }] })).toEqual(expect.arrayContaining(errors))
  })
})

describe('a mutating policy', () => {
  it('is about something, and nothing that is being deleted', () => {
    const mutations = [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }]
    expect(wrongMutation({ mutations, matchConstraints: {} })).toEqual(['spec.matchConstraints.resourceRules: Required value'])
    expect(wrongMutation({ mutations, matchConstraints: { resourceRules: [{ ...rules[0], operations: ['DELETE', 'UPDATE'] }] } }))
      .toEqual(['spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"'])
    const bound = (operation: string) => createErrors(admissionregistration.mutatingadmissionpolicybindings, { metadata: { name: 'b' }, spec: { policyName: 'p', matchResources: { resourceRules: [{ ...rules[0], operations: [operation] }] } } })
    expect(bound('CREATE')).toEqual([])
    expect(bound('DELETE')).toEqual(['spec.matchResources.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"'])
  })
  it('has the parts of its types of patches, and no others', () => {
    const expression = 'Object{}'
    expect(wrongMutation({ mutations: [{ patchType: 'JSONPatch', applyConfiguration: { expression } }, { patchType: 'ApplyConfiguration', applyConfiguration: { expression: ' ' }, jsonPatch: { expression } }, { applyConfiguration: { expression } }] })).toEqual([
      'spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch', 'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
      'spec.mutations[1].applyConfiguration.expression: Required value', 'spec.mutations[1].jsonPatch: Invalid value: "{jsonPatch}": must not be specified when patchType is ApplyConfiguration',
      'spec.mutations[2].patchType: Required value',
    ])
  })
  it('makes an object, or patches', () => {
    expect(wrongMutation({ mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{spec: Object.spec{replicas: 1}}' } }, { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "add", path: "/" + jsonpatch.escapeKey("a/b"), value: Object.spec{x: 1}}]' } }] })).toEqual([])
    expect(wrongMutation({ mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object.spec{}' } }, { patchType: 'JSONPatch', jsonPatch: { expression: 'JSONPatch{op: "add"}' } }, { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{operation: "add"}]' } }] }).map((line) => line.split('\n')[0])).toEqual([
      'spec.mutations[0].applyConfiguration.expression: Invalid value: "Object.spec{}": must evaluate to Object but got Object.spec',
      'spec.mutations[1].jsonPatch.expression: Invalid value: "JSONPatch{op: \\"add\\"}": must evaluate to list(JSONPatch) but got JSONPatch',
      `spec.mutations[2].jsonPatch.expression: Invalid value: "[JSONPatch{operation: \\"add\\"}]": compilation failed: ERROR: <input>:1:21: undefined field 'operation'`,
    ])
  })
})

describe('match conditions of a webhook', () => {
  it('compile, and are about no parameters', () => {
    const webhook = { name: 'a.example.com', clientConfig: { url: 'https://a.example.com' }, sideEffects: 'None', admissionReviewVersions: ['v1'], rules, matchConditions: [{ name: 'a', expression: 'object.metadata.name == "x"' }, { name: 'b', expression: 'params.x' }] }
    expect(createErrors(admissionregistration.validatingwebhookconfigurations, { metadata: { name: 'c' }, webhooks: [webhook] }).map((line) => line.split('\n')[0])).toEqual([
      `webhooks[0].matchConditions[1].expression: Invalid value: "params.x": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')`,
    ])
  })
})

describe('conditions that were accepted once', () => {
  const matchConditions = [{ name: 'a', expression: 'no.longer.known()' }]
  const refused = expect.stringContaining('undeclared reference') as unknown as string
  it('stay with a webhook as long as nobody changes them', () => {
    const of = (more: object) => ({ metadata: { name: 'c' }, webhooks: [{ name: 'a.example.com', clientConfig: { url: 'https://a.example.com' }, sideEffects: 'None', admissionReviewVersions: ['v1'], rules, matchConditions, ...more }] })
    for (const resource of [admissionregistration.validatingwebhookconfigurations, admissionregistration.mutatingwebhookconfigurations] as never[]) {
      expect(createErrors(resource, of({}))).toEqual([refused])
      expect(updateErrors(resource, of({ timeoutSeconds: 3 }), complete(resource, of({})))).toEqual([])
      expect(updateErrors(resource, of({ matchConditions: [...matchConditions, { name: 'b', expression: 'true' }] }), complete(resource, of({})))).toEqual([refused])
    }
  })
  it('stay with a policy as long as its parameters are of the same kind', () => {
    const of = (more: object) => ({ metadata: { name: 'p' }, spec: { matchConstraints: { resourceRules: rules }, validations: [{ expression: 'true' }], reinvocationPolicy: 'Never', mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "test", path: "/a"}]' } }], matchConditions, ...more } })
    for (const resource of [admissionregistration.validatingadmissionpolicies, admissionregistration.mutatingadmissionpolicies] as never[]) {
      expect(createErrors(resource, of({}))).toEqual([refused])
      expect(updateErrors(resource, of({ failurePolicy: 'Ignore' }), complete(resource, of({})))).toEqual([])
      expect(updateErrors(resource, of({ paramKind: { apiVersion: 'v1', kind: 'Secret' } }), complete(resource, of({})))).toEqual([refused])
    }
  })
})
