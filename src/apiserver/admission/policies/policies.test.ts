import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { admissionregistration, apps, core, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { isApiError } from '../../../machinery/errors.ts'
import type { Action, Authorizer } from '../../authz/authorizer.ts'
import type { Identity } from '../../identity.ts'
import { attributesOf, environment, type Loose, type Wanted } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { createAdmissionMetrics } from '../metrics.ts'
import { policyParams } from '../plugins/policy-params.ts'
import { mutatingAdmissionPolicy } from './mutating.ts'
import { validatingAdmissionPolicy } from './validating.ts'

const namespace: Loose = { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'x', labels: { team: 'a' } } as never }
const deployment = (spec: object = {}, metadata: object = {}): Loose =>
  ({ kind: 'Deployment', apiVersion: 'apps/v1', metadata: { name: 'd', namespace: 'x', ...metadata }, spec: { replicas: 3, ...spec } })
const rules = [{ operations: ['CREATE', 'UPDATE', 'DELETE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'], scope: '*' }]
const policy = (spec: object, name = 'p'): Loose =>
  ({ kind: 'ValidatingAdmissionPolicy', metadata: { name, uid: name, generation: 1 } as never, spec: { failurePolicy: 'Fail', matchConstraints: { resourceRules: rules, matchPolicy: 'Equivalent' }, ...spec } })
const binding = (spec: object = {}, name = 'b'): Loose =>
  ({ kind: 'ValidatingAdmissionPolicyBinding', metadata: { name }, spec: { policyName: 'p', validationActions: ['Deny'], ...spec } })
const mutating = (spec: object, name = 'p'): Loose =>
  ({ kind: 'MutatingAdmissionPolicy', metadata: { name, uid: name, generation: 1 } as never, spec: { failurePolicy: 'Fail', reinvocationPolicy: 'Never', matchConstraints: { resourceRules: rules, matchPolicy: 'Equivalent' }, ...spec } })
const mutatingBinding = (name: string, spec: object = {}): Loose => ({ kind: 'MutatingAdmissionPolicyBinding', metadata: { name: `b-${name}` }, spec: { policyName: name, ...spec } })

const asked: { user: Identity; action: Action }[] = []
const authorizer = (late = false) => ({
  decide(user: Identity, action: Action) {
    asked.push({ user, action })
    const decision = { opinion: action.verb === 'breakglass' ? 'allow' : 'none', reason: 'because' }
    return late ? Promise.resolve(decision) : decision
  },
}) as unknown as Authorizer

interface Outcome { readonly error?: string; readonly code?: number; readonly reason?: string; readonly object?: Loose; readonly warnings: string[]; readonly annotations: Record<string, string> }

async function outcome(objects: Loose[], object: Loose | null = deployment(), wanted: Wanted = {}, late = false, metrics = createAdmissionMetrics()): Promise<Outcome> {
  const env = environment(namespace, ...objects)
  const chain = createAdmissionChain([mutatingAdmissionPolicy(env, authorizer(late), metrics), validatingAdmissionPolicy(env, authorizer(late), metrics)])
  const attributes = attributesOf(apps.deployments, object ?? undefined, wanted)
  const { warnings, annotations } = attributes
  try {
    const mutated = await chain.mutate(attributes)
    await chain.validate({ ...attributes, object: mutated })
    return { warnings, annotations, ...(mutated ? { object: mutated as unknown as Loose } : {}) }
  } catch (error) {
    if (!isApiError(error)) throw error
    return { error: error.message, code: error.code, reason: error.reason, warnings, annotations }
  }
}
const check = (expression: string, more: object = {}, spec: object = {}) => policy({ validations: [{ expression, ...more }], ...spec })

describe('a validating policy', () => {
  it('refuses what its expressions do not hold for, and nothing else', async () => {
    const objects = [check('object.spec.replicas <= 5'), binding()]
    expect(await outcome(objects)).toMatchObject({ object: { kind: 'Deployment' }, warnings: [] })
    expect(await outcome(objects, deployment({ replicas: 6 }))).toMatchObject({
      code: 422, reason: 'Invalid', error: "deployments.apps \"d\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: object.spec.replicas <= 5",
    })
    expect((await outcome([objects[0] as Loose], deployment({ replicas: 6 }))).error).toBeUndefined()
  })

  it('says why in its own words, and with its own code', async () => {
    const said = async (more: object) => outcome([check('false', more), binding()])
    expect(await said({ message: ' no ', reason: 'Forbidden' })).toMatchObject({ code: 403, reason: 'Forbidden', error: expect.stringMatching(/denied request: no$/) as string })
    expect(await said({ message: 'no', messageExpression: "'has ' + string(object.spec.replicas) + ' replicas'" })).toMatchObject({ error: expect.stringMatching(/denied request: has 3 replicas$/) as string })
    for (const messageExpression of ["'a\\nb'", "'  '", 'object.spec.nope', "string(1/0)"]) {
      expect(await said({ message: 'no', messageExpression })).toMatchObject({ error: expect.stringMatching(/denied request: no$/) as string })
    }
  })

  it('that fails decides by its failure policy', async () => {
    expect(await outcome([check('object.spec.nope > 1'), binding()])).toMatchObject({ code: 422, error: expect.stringContaining("denied request: expression 'object.spec.nope > 1' resulted in error: no such key: nope") as string })
    expect((await outcome([check('object.spec.nope > 1', {}, { failurePolicy: 'Ignore' }), binding()])).error).toBeUndefined()
    expect(await outcome([check('nope'), binding()])).toMatchObject({ error: expect.stringContaining("compilation error: compilation failed: ERROR: <input>:1:1: undeclared reference to 'nope'") as string })
    const dear = check('[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, a + b + c + d + e + f > 0))))))')
    expect(await outcome([dear, binding()])).toMatchObject({ error: expect.stringContaining('operation cancelled: actual cost limit exceeded') as string })
  })

  it('warns or notes instead of refusing, as its binding wants', async () => {
    const done = await outcome([check('false', { message: 'no' }), binding({ validationActions: ['Warn', 'Audit'] })])
    expect(done.error).toBeUndefined()
    expect(done.warnings).toEqual(["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no"])
    expect(done.annotations).toEqual({ 'validation.policy.admission.k8s.io/validation_failure': JSON.stringify([{ message: 'no', policy: 'p', binding: 'b', expressionIndex: 0, validationActions: ['Warn', 'Audit'] }]) })
  })

  it('writes audit annotations, of all bindings', async () => {
    const param = (name: string, value: string): Loose => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'x' }, data: { value } })
    const spec = { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, auditAnnotations: [{ key: 'seen', valueExpression: "'value ' + params.data.value" }, { key: 'none', valueExpression: 'null' }] }
    const refer = (name: string) => binding({ paramRef: { name, parameterNotFoundAction: 'Deny' } }, `b-${name}`)
    expect((await outcome([policy(spec), refer('one'), refer('two'), param('one', '1'), param('two', '2')])).annotations).toEqual({ 'p/seen': 'value 1, value 2' })
  })

  it('has variables, each evaluated when it is asked for and seeing those before it', async () => {
    const variables = [{ name: 'n', expression: 'object.spec.replicas' }, { name: 'twice', expression: 'variables.n * 2' }, { name: 'broken', expression: '1 / 0' }]
    const by = async (expression: string) => (await outcome([check(expression, {}, { variables }), binding()])).error
    expect(await by('variables.twice == 6 || variables.broken == 1')).toBeUndefined()
    expect(await by('variables.broken == 1')).toContain("expression 'variables.broken == 1' resulted in error: composited variable \"broken\" fails to evaluate: division by zero")
    expect(await by('variables.nope')).toContain("undefined field 'nope'")
    const circle = [{ name: 'a', expression: 'dyn(variables)["b"]' }, { name: 'b', expression: 'variables.a' }]
    expect((await outcome([check('variables.b == 1', {}, { variables: circle }), binding()])).error).toMatch(/b depends on itself$/)
  })

  it('sees the request, the old object, the namespace', async () => {
    const expression = "request.operation == 'UPDATE' && request.kind.kind == 'Deployment' && request.resource.resource == 'deployments' && request.userInfo.username == 'ana' && 'system:authenticated' in request.userInfo.groups && request.name == 'd' && request.namespace == 'x' && !request.dryRun && oldObject.spec.replicas == 1 && namespaceObject.metadata.labels.team == 'a'"
    expect((await outcome([check(expression), binding()], deployment(), { operation: 'UPDATE', old: deployment({ replicas: 1 }) })).error).toBeUndefined()
    expect((await outcome([check('object == null && oldObject.spec.replicas == 3'), binding()], null, { operation: 'DELETE', old: deployment() })).error).toBeUndefined()
  })

  it('may ask the authorizer, however long that takes', async () => {
    for (const late of [false, true]) {
      const by = async (expression: string) => (await outcome([check(expression), binding()], deployment(), {}, late)).error
      expect(await by("authorizer.group('apps').resource('deployments').namespace('x').check('breakglass').allowed()")).toBeUndefined()
      expect(await by("authorizer.requestResource.check('breakglass').allowed()")).toBeUndefined()
      expect(asked.at(-1)).toMatchObject({ user: { name: 'ana' }, action: { verb: 'breakglass', group: 'apps', resource: 'deployments', namespace: 'x', name: 'd' } })
      expect(await by("authorizer.serviceAccount('x', 'robot').path('/z').check('get').allowed()")).toContain('failed expression')
      expect(asked.at(-1)).toMatchObject({ user: { name: 'system:serviceaccount:x:robot' }, action: { path: '/z', isResourceRequest: false } })
    }
  })

  it('is not applied where its match conditions do not hold', async () => {
    const conditions = (...matchConditions: object[]) => outcome([check('false', { message: 'no' }, { matchConditions }), binding()])
    expect((await conditions({ name: 'a', expression: "request.userInfo.username != 'ana'" })).error).toBeUndefined()
    expect((await conditions({ name: 'a', expression: 'true' })).error).toContain('denied request: no')
    expect((await conditions({ name: 'a', expression: 'object.nope == 1' }, { name: 'b', expression: 'false' })).error).toBeUndefined()
    expect((await conditions({ name: 'a', expression: 'object.nope == 1' })).error).toContain("denied request: expression 'object.nope == 1' resulted in error: no such key: nope")
    expect((await conditions({ name: 'a', expression: "!has(request.subResource) && request.operation == 'CREATE'" })).error).toContain('denied request: no')
  })
})

describe('what a policy is about', () => {
  const about = async (constraints: object, more: object = {}) => (await outcome([policy({ validations: [{ expression: 'false' }], matchConstraints: { resourceRules: rules, ...constraints } }), binding(more)], deployment({}, { labels: { app: 'web' } }))).error !== undefined
  it('is said by rules, selectors and exceptions, of policy and binding', async () => {
    expect(await about({})).toBe(true)
    expect(await about({ resourceRules: [{ ...rules[0], resources: ['pods'] }] })).toBe(false)
    expect(await about({ resourceRules: [{ ...rules[0], resourceNames: ['other'] }] })).toBe(false)
    expect(await about({ excludeResourceRules: [{ ...rules[0], resourceNames: ['d'] }] })).toBe(false)
    expect(await about({ namespaceSelector: { matchLabels: { team: 'b' } } })).toBe(false)
    expect(await about({ objectSelector: { matchLabels: { app: 'web' } } })).toBe(true)
    expect(await about({}, { matchResources: { namespaceSelector: { matchLabels: { team: 'b' } } } })).toBe(false)
    expect(await about({}, { matchResources: { resourceRules: [{ ...rules[0], operations: ['DELETE'] }] } })).toBe(false)
    expect(await about({}, { policyName: 'other' })).toBe(false)
  })

  it('may be another version, in which it sees the object; one that cannot be converted is a failure', async () => {
    const to = (object: ApiObject) => ({ ...object, apiVersion: 'apps/v9' })
    const nine = { ...apps.deployments, version: 'v9', apiVersion: 'apps/v9' } as unknown as Resource
    const run = async (convert: typeof to, spec: object = {}) => {
      const env = environment(namespace, policy({ matchConstraints: { resourceRules: [{ ...rules[0], apiVersions: ['v9'] }] }, validations: [{ expression: "!(object.apiVersion == 'apps/v9' && request.resource.version == 'v9' && request.requestResource.version == 'v1')", message: 'seen' }], ...spec }), binding())
      const attributes = { ...attributesOf(apps.deployments, deployment()), others: () => [{ resource: nine, to: convert, from: convert }] }
      return (async () => createAdmissionChain([validatingAdmissionPolicy(env, authorizer())]).validate(attributes))().then(() => '', (error: Error) => error.message)
    }
    expect(await run(to)).toMatch(/denied request: seen$/)
    const broken = () => { throw new Error('no way') }
    expect(await run(broken)).toMatch(/denied request: failed to configure binding: failed to convert object version: no way$/)
    expect(await run(broken, { failurePolicy: 'Ignore' })).toBe('')
  })

  it('is never its own kind', async () => {
    const all = policy({ validations: [{ expression: 'false' }], matchConstraints: { resourceRules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }] } })
    const env = environment(all, binding())
    expect(validatingAdmissionPolicy(env, authorizer()).handles(attributesOf(admissionregistration.validatingadmissionpolicies, all))).toBe(false)
    expect(validatingAdmissionPolicy(env, authorizer()).handles(attributesOf(core.pods, deployment()))).toBe(true)
  })
})

describe('parameters', () => {
  const limit = (name: string, value: string, where = 'x', labels: object = {}): Loose => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: where, labels } as never, data: { value } })
  const limited = check('object.spec.replicas <= int(params.data.value)', { messageExpression: "'at most ' + params.data.value" }, { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } })
  const by = async (paramRef: object, ...objects: Loose[]) => (await outcome([limited, binding({ paramRef }), ...objects], deployment({ replicas: 6 }))).error
  it('come by name, from the namespace of the request or the one that is named', async () => {
    expect(await by({ name: 'l', parameterNotFoundAction: 'Deny' }, limit('l', '5'))).toMatch(/denied request: at most 5$/)
    expect(await by({ name: 'l', parameterNotFoundAction: 'Deny' }, limit('l', '7'))).toBeUndefined()
    expect(await by({ name: 'l', namespace: 'y', parameterNotFoundAction: 'Deny' }, limit('l', '5'), limit('l', '7', 'y'))).toBeUndefined()
  })
  it('come by labels: every one has to be satisfied', async () => {
    const selector = { matchLabels: { kind: 'limit' } }
    expect(await by({ selector, parameterNotFoundAction: 'Deny' }, limit('a', '9', 'x', { kind: 'limit' }), limit('b', '4', 'x', { kind: 'limit' }), limit('c', '1'))).toMatch(/at most 4$/)
  })
  it('that are missing deny or do not, and a kind that is missing is a mistake', async () => {
    expect(await by({ name: 'l', parameterNotFoundAction: 'Deny' })).toContain("denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction")
    expect(await by({ name: 'l', parameterNotFoundAction: 'Allow' })).toBeUndefined()
    const unknown = check('true', {}, { paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Limit' } })
    expect((await outcome([unknown, binding({ paramRef: { name: 'l' } })])).error).toContain("failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Limit'")
  })
})

describe('who may define parameters', () => {
  const plugin = (allowed: (action: Action) => boolean, ...objects: Loose[]) => {
    const decide = (_: Identity, action: Action) => ({ opinion: allowed(action) ? 'allow' : 'none', reason: '' })
    return createAdmissionChain([policyParams(environment(...objects), { decide } as unknown as Authorizer)])
  }
  const kinded = policy({ paramKind: { apiVersion: 'v1', kind: 'Secret' }, validations: [{ expression: 'true' }] })
  it('is who may read them', async () => {
    const { validatingadmissionpolicies, validatingadmissionpolicybindings } = admissionregistration
    const made = attributesOf(validatingadmissionpolicies, kinded)
    await expect(plugin(() => false).validate(made)).rejects.toMatchObject({ code: 422, message: expect.stringContaining('spec.paramKind: Forbidden: user ana must have "get" permission on all objects of the referenced paramKind (kind=Secret, apiVersion=v1)') as string })
    await plugin(({ verb, resource, name, namespace }) => verb === 'get' && resource === 'secrets' && name === '*' && namespace === '*').validate(made)
    await plugin(() => false).validate({ ...made, context: { ...made.context, user: { name: 'root', groups: ['system:masters'] } } })
    await plugin(() => false).validate({ ...made, operation: 'UPDATE', old: made.object })
    const bound = attributesOf(validatingadmissionpolicybindings, binding({ paramRef: { name: 's', namespace: 'x' } }))
    await expect(plugin(() => false, kinded).validate(bound)).rejects.toMatchObject({ code: 422, message: expect.stringContaining('spec.paramRef: Forbidden: user ana does not have "get" permission on the object referenced by paramRef') as string })
    await plugin(({ verb, resource, name, namespace }) => verb === 'get' && resource === 'secrets' && name === 's' && namespace === 'x', kinded).validate(bound)
  })
  it('is asked again when the same reference comes to mean something else', async () => {
    const { validatingadmissionpolicybindings } = admissionregistration
    const bound = attributesOf(validatingadmissionpolicybindings, binding({ paramRef: { name: 's', namespace: 'x' } }))
    const to = (policyName: string) => ({ ...bound, operation: 'UPDATE' as const, old: { ...bound.object, spec: { ...(bound.object as unknown as { spec: object }).spec, policyName } } as never })
    await plugin(() => false, kinded).validate(to('p'))
    await expect(plugin(() => false, kinded).validate(to('other'))).rejects.toMatchObject({ code: 422, message: expect.stringContaining('spec.paramRef: Forbidden: user ana does not have "get" permission on the object referenced by paramRef') as string })
  })
  it('reads all of them without a namespace and a name, and anything at all while there is no such policy', async () => {
    const asked: Action[] = []
    const note = (action: Action) => asked.push(action) < 0
    const bound = attributesOf(admissionregistration.validatingadmissionpolicybindings, binding({ paramRef: { selector: {} } }))
    await expect(plugin(note, kinded).validate(bound)).rejects.toThrow('does not have "list" permission on the object referenced by paramRef')
    await expect(plugin(note).validate(bound)).rejects.toThrow('unable to get policy p to determine minimum required permissions and user ana does not have "list" permission for all groups, versions and resources')
    expect(asked).toMatchObject([{ verb: 'list', resource: 'secrets', namespace: '', name: '' }, { verb: 'list', group: '*', version: '*', resource: '*', namespace: '', name: '' }])
  })
})

describe('a mutating policy', () => {
  const apply = (expression: string, more: object = {}, name = 'p') => [mutating({ mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }], ...more }, name), mutatingBinding(name)]
  const patch = (expression: string, more: object = {}, name = 'p') => [mutating({ mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }], ...more }, name), mutatingBinding(name)]
  const containers = { template: { metadata: {}, spec: { containers: [{ name: 'app', image: 'app:1' }] } } }

  it('merges a configuration into the object', async () => {
    const done = await outcome(apply("Object{metadata: Object.metadata{labels: {'team': namespaceObject.metadata.labels.team}}, spec: Object.spec{replicas: object.spec.replicas + 1, template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: 'sidecar', image: 'side:1'}, Object.spec.template.spec.containers{name: 'app', imagePullPolicy: 'Always'}]}}}}"), deployment(containers))
    expect(done.error).toBeUndefined()
    expect(done.object).toMatchObject({ metadata: { labels: { team: 'a' } }, spec: { replicas: 4, template: { spec: { containers: [{ name: 'sidecar', image: 'side:1' }, { name: 'app', image: 'app:1', imagePullPolicy: 'Always' }] } } } })
  })

  it('patches', async () => {
    const expression = "[JSONPatch{op: 'test', path: '/spec/replicas', value: 3}, JSONPatch{op: 'replace', path: '/spec/replicas', value: 1}, JSONPatch{op: 'add', path: '/metadata/labels', value: {}}, JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('example.com/a'), value: 'b'}]"
    expect((await outcome(patch(expression))).object).toMatchObject({ metadata: { labels: { 'example.com/a': 'b' } }, spec: { replicas: 1 } })
    expect((await outcome(patch(expression), deployment({ replicas: 4 }))).object).toMatchObject({ spec: { replicas: 4 } })
    expect((await outcome(patch("object.spec.replicas > 1 ? [JSONPatch{op: 'remove', path: '/spec/replicas'}] : []"))).object).not.toHaveProperty('spec.replicas', 3)
  })

  it('that fails refuses, unless it is to be ignored', async () => {
    expect(await outcome(apply('Object{spec: Object.wrong{}}'))).toMatchObject({ code: 403, error: expect.stringContaining("policy 'p' with binding 'b-p' denied request: expression 'Object{spec: Object.wrong{}}' resulted in error: type mismatch: unexpected type name \"Object.wrong\", expected \"Object.spec\"") as string })
    expect((await outcome(apply("Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {'a': 'b'}}}}"))).error).toContain('error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector')
    expect((await outcome(apply('Object{spec: Object.spec{nope: 1}}'))).error).toContain('field not declared in schema')
    expect(await outcome(apply("Object{spec: Object.spec{replicas: 'three'}}"))).toMatchObject({ code: 403, error: expect.stringMatching(/denied request: error applying patch: failed to convert patch object to typed object: \.spec\.replicas: expected numeric \(int or float\), got string$/) as string })
    expect(await outcome(apply('Object{spec: Object.spec{replicas: null}}'))).toMatchObject({ code: 403, error: expect.stringContaining('.spec.replicas: expected numeric (int or float), got structpb.NullValue') as string })
    expect((await outcome(apply('Object{spec: Object.spec{replicas: null}}', { failurePolicy: 'Ignore' }))).object).toMatchObject({ spec: { replicas: 3 } })
    expect((await outcome(apply('object.nope'))).error).toContain('must evaluate to Object')
    expect((await outcome(patch("[JSONPatch{op: 'remove', path: '/spec/nope'}]"))).error).toContain("policy 'p' with binding 'b-p' denied request: ")
    expect((await outcome(patch("[JSONPatch{op: 'remove', path: '/spec/nope'}]", { failurePolicy: 'Ignore' }))).object).toMatchObject({ spec: { replicas: 3 } })
  })

  it('is asked again, once, when it wants to and others changed the object after it', async () => {
    const label = (policyName: string, more: object) => patch(`[JSONPatch{op: 'add', path: '/metadata/annotations', value: {'${policyName}': string(object.spec.replicas)}}]`, more, policyName)
    const raise = patch("object.spec.replicas < 5 ? [JSONPatch{op: 'replace', path: '/spec/replicas', value: object.spec.replicas + 1}] : []", {}, 'z')
    expect((await outcome([...label('a', { reinvocationPolicy: 'IfNeeded' }), ...raise])).object).toMatchObject({ metadata: { annotations: { a: '4' } }, spec: { replicas: 4 } })
    expect((await outcome([...label('a', {}), ...raise])).object).toMatchObject({ metadata: { annotations: { a: '3' } }, spec: { replicas: 4 } })
  })

  it('has conditions, variables and parameters like a validating one', async () => {
    const more = { matchConditions: [{ name: 'c', expression: '!has(object.spec.paused)' }], variables: [{ name: 'n', expression: 'int(params.data.value)' }], paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } }
    const [made] = apply('Object{spec: Object.spec{replicas: variables.n}}', more)
    const objects = [made as Loose, mutatingBinding('p', { paramRef: { name: 'l', parameterNotFoundAction: 'Deny' } }), { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'l', namespace: 'x' }, data: { value: '7' } }]
    expect((await outcome(objects)).object).toMatchObject({ spec: { replicas: 7 } })
    expect((await outcome(objects, deployment({ paused: true }))).object).toMatchObject({ spec: { replicas: 3 } })
  })
})

describe('a JSON patch of a policy', () => {
  const patching = (expression: string) => outcome([mutating({ mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }] }), mutatingBinding('p')])

  it('is not applied where its test does not hold, and says what it does not fit in', async () => {
    expect((await patching("[JSONPatch{op: 'test', path: '/spec/replicas', value: 99}, JSONPatch{op: 'replace', path: '/spec/replicas', value: 6}]")).object).toMatchObject({ spec: { replicas: 3 } })
    expect((await patching("[JSONPatch{op: 'remove', path: '/spec/nope'}]")).error).toBe("policy 'p' with binding 'b-p' denied request: JSON Patch: error in remove for path: '/spec/nope': unable to remove nonexistent key: nope: missing value")
    expect((await patching("[JSONPatch{op: 'nope', path: '/spec'}]")).error).toContain('JSON Patch: Unexpected kind: nope')
  })
})

describe('the metrics of policies', () => {
  const dear = '[1,2,3,4,5,6,7,8,9,10].map(a, [1,2,3,4,5,6,7,8,9,10].map(b, [1,2,3,4,5,6,7,8,9,10].map(c, [1,2,3,4,5,6,7,8,9,10].map(d, a + b + c + d)))).size() > 0'

  it('say what was enforced, how, and what failed', async () => {
    const registry = new Registry()
    const metrics = createAdmissionMetrics(registry)
    const run = (...objects: Loose[]) => outcome(objects, deployment(), {}, false, metrics)
    await run(check('true'), binding())
    await run(check('false'), binding({ validationActions: ['Warn', 'Audit'] }))
    await run(check('false'), binding())
    await run(check('nope'), binding())
    await run(check('object.nope == 1', {}, { failurePolicy: 'Ignore' }), binding())
    await run(check('true', {}, { matchConditions: [{ name: 'a', expression: 'object.nope == 1' }] }), binding())
    await run(mutating({ mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }, { patchType: 'JSONPatch', jsonPatch: { expression: 'nope' } }] }), mutatingBinding('p'))
    const page = await registry.metrics()
    const of = (name: string) => page.split('\n').filter((line) => line.startsWith(`apiserver_${name}{`)).map((line) => line.slice(`apiserver_${name}`.length))
    expect(of('validating_admission_policy_check_total')).toEqual([
      '{policy="p",policy_binding="b",error_type="invalid_error",enforcement_action="warn"} 1',
      '{policy="p",policy_binding="b",error_type="invalid_error",enforcement_action="audit"} 1',
      '{policy="p",policy_binding="b",error_type="invalid_error",enforcement_action="deny"} 2',
      '{policy="p",policy_binding="b",error_type="compile_error",enforcement_action="deny"} 1',
      '{policy="p",policy_binding="b",error_type="invalid_error",enforcement_action="allow"} 1',
    ])
    expect(of('validating_admission_policy_check_duration_seconds_count')).toContain('{policy="p",policy_binding="b",error_type="compile_error",enforcement_action="deny"} 1')
    expect(of('mutating_admission_policy_check_total')).toEqual(['{policy="p",policy_binding="b-p",error_type="no_error"} 1', '{policy="p",policy_binding="b-p",error_type="compile_error"} 1'])
    expect(of('admission_match_condition_evaluation_errors_total')).toEqual(['{name="p",kind="policy",type="validate",operation="CREATE"} 1'])
  })

  it('a budget that is spent is all that is said, whatever came before', async () => {
    const registry = new Registry()
    const many = policy({ validations: [{ expression: 'false', message: 'first' }, ...Array.from({ length: 60 }, () => ({ expression: dear }))] })
    const done = await outcome([many, binding()], deployment(), {}, false, createAdmissionMetrics(registry))
    expect(done.error).toContain('denied request: validation failed due to running out of cost budget, no further validation rules will be run')
    expect(await registry.metrics()).toContain('error_type="out_of_budget",enforcement_action="deny"} 1')
  })
})
