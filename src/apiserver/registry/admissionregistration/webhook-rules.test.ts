import { beforeAll, expect, it } from 'vitest'
import { admissionregistration, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { loadCel } from '../../admission/policies/cel.ts'
import { strategyFor } from '../strategies.ts'
import { createErrors, environment } from '../testing.ts'

beforeAll(async () => void (await loadCel()))

const hooks = admissionregistration.validatingwebhookconfigurations as unknown as Resource<ApiObject>
const bindings = admissionregistration.validatingadmissionpolicybindings as unknown as Resource<ApiObject>
const policies = admissionregistration.validatingadmissionpolicies as unknown as Resource<ApiObject>
const rule = { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }
const hook = (part: object) => ({ metadata: { name: 'a' }, webhooks: [{ name: 'a.example.com', clientConfig: { service: { name: 's', namespace: 'n' } }, sideEffects: 'None', admissionReviewVersions: ['v1'], rules: [rule], ...part }] })
const service = (part: object) => hook({ clientConfig: { service: { name: 's', namespace: 'n', ...part } } })
const url = (text: string) => hook({ clientConfig: { url: text } })
const binding = (spec: object) => ({ metadata: { name: 'a' }, spec: { policyName: 'p', validationActions: ['Deny'], ...spec } })
const policy = (spec: object) => ({ metadata: { name: 'a' }, spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }], ...spec } })

it.each<[string, Resource<ApiObject>, object, string[]]>([
  ['two names', hooks, hook({ name: 'a.b' }), ['webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots']],
  ['stars beside others', hooks, hook({ rules: [{ operations: ['*', 'CREATE'], apiGroups: ['*', ''], apiVersions: ['*', ''], resources: ['*', 'pods'] }] }), [
    `webhooks[0].rules[0].operations: Invalid value: ["*","CREATE"]: if '*' is present, must not specify other operations`, `webhooks[0].rules[0].apiGroups: Invalid value: ["*",""]: if '*' is present, must not specify other API groups`,
    `webhooks[0].rules[0].apiVersions: Invalid value: ["*",""]: if '*' is present, must not specify other API versions`, 'webhooks[0].rules[0].apiVersions[1]: Required value',
    `webhooks[0].rules[0].resources: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources without subresources`,
  ]],
  ['subresources that a star stands for', hooks, hook({ rules: [{ ...rule, resources: ['pods/*', 'pods/log', '*/scale', 'x/scale', ''] }] }), [
    `webhooks[0].rules[0].resources[1]: Invalid value: "pods/log": if 'pods/*' is present, must not specify pods/log`, `webhooks[0].rules[0].resources[3]: Invalid value: "x/scale": if '*/scale' is present, must not specify x/scale`,
    'webhooks[0].rules[0].resources[4]: Required value',
  ]],
  ['nothing: a star after others', hooks, hook({ rules: [{ ...rule, resources: ['pods', '*'] }] }), []],
  ['versions nobody speaks', hooks, hook({ admissionReviewVersions: ['v2', 'v2'] }), [
    'webhooks[0].admissionReviewVersions[1]: Invalid value: "v2": duplicate version', 'webhooks[0].admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1',
  ]],
  ['effects', hooks, hook({ sideEffects: 'Some', failurePolicy: 'X', matchPolicy: 'Y' }), [
    'webhooks[0].failurePolicy: Unsupported value: "X": supported values: "Fail", "Ignore"', 'webhooks[0].matchPolicy: Unsupported value: "Y": supported values: "Equivalent", "Exact"',
    'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
  ]],
  ['a service of nothing', hooks, service({ name: '', namespace: '', port: 65536, path: '/a//b/' }), [
    'webhooks[0].clientConfig.service.name: Required value', 'webhooks[0].clientConfig.service.namespace: Required value',
    'webhooks[0].clientConfig.service.port: Invalid value: 65536: port is not valid: must be between 1 and 65535, inclusive', 'webhooks[0].clientConfig.service.path: Invalid value: "/a//b/": segment[1] may not be empty',
  ]],
  ['a URL with more', hooks, url('https://u:p@h/x?q=1#f'), [
    'webhooks[0].clientConfig.url: Invalid value: "u:p": user information is not permitted in the URL', 'webhooks[0].clientConfig.url: Invalid value: "f": fragments are not permitted in the URL',
    'webhooks[0].clientConfig.url: Invalid value: "q=1": query parameters are not permitted in the URL',
  ]],
  ['a URL that only browsers put right', hooks, url('https:/a.example.com'), ['webhooks[0].clientConfig.url: Invalid value: "": host must be specified; desired format: https://host[/path]']],
  ['a URL with nobody before its host', hooks, url('https://@a.example.com'), ['webhooks[0].clientConfig.url: Invalid value: "": user information is not permitted in the URL']],
  ['a URL of two lines', hooks, url('https://a.exam\nple.com'), ['webhooks[0].clientConfig.url: Required value: url must be a valid URL: parse "https://a.exam\\nple.com": net/url: invalid control character in URL; desired format: https://host[/path]']],
  ['a URL with the other slash', hooks, url('https://a\\b'), ['webhooks[0].clientConfig.url: Required value: url must be a valid URL: parse "https://a\\\\b": invalid character "\\\\" in host name; desired format: https://host[/path]']],
  ['a URL of nothing', hooks, url('a'), ['webhooks[0].clientConfig.url: Invalid value: "": \'https\' is the only allowed URL scheme; desired format: https://host[/path]', 'webhooks[0].clientConfig.url: Invalid value: "": host must be specified; desired format: https://host[/path]']],
  ['conditions without names', hooks, hook({ matchConditions: [{ name: '', expression: ' ' }] }), ['webhooks[0].matchConditions[0].expression: Required value', 'webhooks[0].matchConditions[0].name: Required value']],
  ['a binding of nothing', bindings, binding({ policyName: '', validationActions: [] }), ['spec.policyName: Required value', 'spec.validationActions: Required value: at least one validation action is required']],
  ['a binding of two choices', bindings, binding({ paramRef: { name: 'a/b', selector: {} } }), [
    `spec.paramRef.name: Invalid value: "a/b": may not contain '/'`, 'spec.paramRef.name: Forbidden: name and selector are mutually exclusive', 'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
    'spec.paramRef.parameterNotFoundAction: Required value',
  ]],
  ['a policy of nothing', policies, policy({ validations: [] }), [
    'spec.validations: Required value: validations or auditAnnotations must contain at least one item', 'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
  ]],
  ['a policy of other parameters', policies, policy({ paramKind: { apiVersion: 'a/b/c', kind: '1' } }), [
    'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c', expect.stringMatching(/^spec.paramKind.kind: Invalid value: "1": may have mixed case, but should otherwise match: a DNS-1035 label/) as unknown as string,
  ]],
  ['a policy about names', policies, policy({ matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['a/b', 'c', 'c'] }] } }), [
    `spec.matchConstraints.resourceRules[0].resourceNames[0]: Invalid value: "a/b": may not contain '/'`, 'spec.matchConstraints.resourceRules[0].resourceNames[2]: Duplicate value: "c"',
  ]],
])('%s: refused', (_, resource, written, errors) => {
  expect(createErrors(resource, written)).toEqual(errors)
})

const { validatingwebhookconfigurations, mutatingwebhookconfigurations, validatingadmissionpolicies, mutatingadmissionpolicies, validatingadmissionpolicybindings, mutatingadmissionpolicybindings } = admissionregistration
const kinds = [validatingwebhookconfigurations, mutatingwebhookconfigurations, validatingadmissionpolicies, mutatingadmissionpolicies, validatingadmissionpolicybindings, mutatingadmissionpolicybindings] as unknown as Resource<ApiObject>[]
it.each(kinds.map((resource) => [resource.plural, resource] as const))('%s warn of names that are for files', (_, resource) => {
  const { warnings } = strategyFor(resource, environment)
  const of = (name: string) => warnings?.({ metadata: { name } } as never)
  expect(of('a.static.k8s.io')).toEqual(['metadata.name: names ending with ".static.k8s.io" are reserved for static manifest-based configurations and cannot be managed via the API'])
  expect(of('static.k8s.io')).toEqual([])
})
