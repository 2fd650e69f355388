/** Admission policies in CEL, with the real kubectl: what Kubernetes's documentation shows, in the order it shows it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'

let cluster: TestControlPlane
beforeAll(async () => {
  cluster = await startTestControlPlane()
  for (const [name, environment] of [['tested', 'test'], ['produced', 'production']] as const) {
    await cluster.kubectl('create', 'namespace', name)
    await cluster.kubectl('label', 'namespace', name, `environment=${environment}`)
  }
})
afterAll(() => cluster?.stop())

const api = 'admissionregistration.k8s.io/v1'
const deployments = (...operations: string[]) => ({ resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: operations.length > 0 ? operations : ['CREATE', 'UPDATE'], resources: ['deployments'] }] })
const configMaps = { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }] }
const policy = (name: string, spec: object) => ({ apiVersion: api, kind: 'ValidatingAdmissionPolicy', metadata: { name }, spec: { failurePolicy: 'Fail', matchConstraints: deployments(), ...spec } })
const binding = (name: string, spec: object = {}) => ({ apiVersion: api, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name: `${name}-binding` }, spec: { policyName: name, validationActions: ['Deny'], ...spec } })
const mutating = (name: string, spec: object) => ({ apiVersion: api, kind: 'MutatingAdmissionPolicy', metadata: { name }, spec: { failurePolicy: 'Fail', reinvocationPolicy: 'Never', ...spec } })
const mutatingBinding = (name: string, spec: object = {}) => ({ apiVersion: api, kind: 'MutatingAdmissionPolicyBinding', metadata: { name: `${name}-binding` }, spec: { policyName: name, ...spec } })
const deployment = (name: string, namespace: string, replicas: number, more: object = {}) => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace, ...more },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'registry.example/c:1' }] } } },
})
const apply = (...objects: object[]) => cluster.tryKubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
const remove = (...names: string[]) => cluster.kubectl('delete', ...names, '--ignore-not-found')

describe('ValidatingAdmissionPolicy', () => {
  it('keeps out what its expression does not hold for, where it is bound', async () => {
    await cluster.apply(policy('demo-policy.example.com', { validations: [{ expression: 'object.spec.replicas <= 5' }] }))
    await cluster.apply(binding('demo-policy.example.com', { matchResources: { namespaceSelector: { matchLabels: { environment: 'test' } } } }))
    const refused = await apply(deployment('many', 'tested', 6))
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain("ValidatingAdmissionPolicy 'demo-policy.example.com' with binding 'demo-policy.example.com-binding' denied request: failed expression: object.spec.replicas <= 5")
    expect((await apply(deployment('few', 'tested', 5), deployment('many', 'produced', 6))).code).toBe(0)
    expect((await cluster.tryKubectl(['scale', 'deployment/few', '-n', 'tested', '--replicas=7'])).code).toBe(0) // a scale is not a deployment
    expect((await cluster.tryKubectl(['patch', 'deployment/few', '-n', 'tested', '-p', '{"spec":{"replicas":9}}'])).stderr).toContain('denied request')
    await remove('validatingadmissionpolicy/demo-policy.example.com', 'validatingadmissionpolicybinding/demo-policy.example.com-binding')
    expect((await apply(deployment('many', 'tested', 6))).code).toBe(0)
  })

  it('takes its limits from a custom resource, with a message that says them', async () => {
    await cluster.apply({
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'replicalimits.rules.example.com' },
      spec: {
        group: 'rules.example.com', scope: 'Namespaced', names: { plural: 'replicalimits', singular: 'replicalimit', kind: 'ReplicaLimit' },
        versions: [['v1', true], ['v2', false]].map(([name, storage]) => ({ name, served: true, storage, schema: { openAPIV3Schema: { type: 'object', properties: { maxReplicas: { type: 'integer' } } } } })),
      },
    })
    await cluster.kubectl('wait', '--for=condition=Established', 'crd/replicalimits.rules.example.com', '--timeout=20s')
    await cluster.apply({ apiVersion: 'rules.example.com/v1', kind: 'ReplicaLimit', metadata: { name: 'limit', namespace: 'default' }, maxReplicas: 3 })
    await cluster.apply(policy('replicalimit', {
      paramKind: { apiVersion: 'rules.example.com/v2', kind: 'ReplicaLimit' },
      validations: [{ expression: "object.spec.replicas <= params.maxReplicas && params.apiVersion == 'rules.example.com/v2'", reason: 'Forbidden', messageExpression: "'object.spec.replicas must be no greater than ' + string(params.maxReplicas)" }],
    }))
    await cluster.apply(binding('replicalimit', { paramRef: { name: 'limit', namespace: 'default', parameterNotFoundAction: 'Deny' }, matchResources: { namespaceSelector: { matchLabels: { environment: 'test' } } } }))
    const refused = await apply(deployment('limited', 'tested', 4))
    expect(refused.stderr).toContain("denied request: object.spec.replicas must be no greater than 3")
    expect(refused.stderr).toContain('Error from server (Forbidden)')
    await cluster.kubectl('patch', 'replicalimit', 'limit', '-n', 'default', '--type=merge', '-p', '{"maxReplicas":4}')
    expect((await apply(deployment('limited', 'tested', 4))).code).toBe(0)
    await cluster.kubectl('delete', 'replicalimit', 'limit', '-n', 'default')
    expect((await apply(deployment('limited2', 'tested', 1))).stderr).toContain('no params found for policy binding with `Deny` parameterNotFoundAction')
    await remove('validatingadmissionpolicy/replicalimit', 'validatingadmissionpolicybinding/replicalimit-binding')
  })

  it('has variables, conditions, warnings, and the authorizer', async () => {
    await cluster.apply(policy('image-matches-namespace-environment.policy.example.com', {
      matchConditions: [{ name: 'exempt', expression: "!('exempt' in object.metadata.?labels.orValue({}))" }, { name: 'no-breakglass', expression: "!authorizer.group('apps').resource('deployments').namespace(request.namespace).check('breakglass').allowed() || true" }],
      variables: [
        { name: 'environment', expression: "'environment' in namespaceObject.metadata.labels ? namespaceObject.metadata.labels['environment'] : 'prod'" },
        { name: 'containers', expression: 'object.spec.template.spec.containers' },
        { name: 'containersToCheck', expression: "variables.containers.filter(c, c.image.contains('example.com/'))" },
      ],
      validations: [{ expression: "variables.containersToCheck.all(c, c.image.startsWith(variables.environment + '.'))", messageExpression: "'only ' + variables.environment + ' images are allowed in namespace ' + namespaceObject.metadata.name" }],
      auditAnnotations: [{ key: 'checked', valueExpression: 'string(size(variables.containersToCheck))' }],
    }))
    await cluster.apply(binding('image-matches-namespace-environment.policy.example.com', { validationActions: ['Warn', 'Audit'], matchResources: { namespaceSelector: { matchLabels: { environment: 'test' } } } }))
    const wrong = (labels: object) => { const made = deployment('images', 'tested', 1, { labels }); made.spec.template.spec.containers[0]!.image = 'prod.example.com/c:1'; return made }
    expect(await apply(wrong({}))).toMatchObject({ code: 0, stderr: expect.stringContaining("Warning: Validation failed for ValidatingAdmissionPolicy 'image-matches-namespace-environment.policy.example.com' with binding 'image-matches-namespace-environment.policy.example.com-binding': only test images are allowed in namespace tested") as string })
    expect((await apply(wrong({ exempt: 'yes' }))).stderr).not.toContain('Warning')
    await remove('validatingadmissionpolicy/image-matches-namespace-environment.policy.example.com')
  })

  it('that does not compile is refused, with the place', async () => {
    const refused = await apply(policy('broken', {
      validations: [{ expression: 'object.spec.replicas <= 5 &&' }, { expression: 'object.spec.replicas' }, { expression: '"text"', messageExpression: '1' }],
      variables: [{ name: 'a', expression: 'variables.b' }], matchConditions: [{ name: 'c', expression: 'variables.a' }], auditAnnotations: [{ key: 'k', valueExpression: 'nope' }],
    }))
    expect(refused.code).toBe(1)
    for (const text of [
      'spec.validations[0].expression: Invalid value: "object.spec.replicas <= 5 &&": compilation failed: ERROR: <input>:1:29: Syntax error: mismatched input \'<EOF>\' expecting',
      'spec.validations[2].expression: Invalid value: "\\"text\\"": must evaluate to bool but got string', 'spec.validations[2].messageExpression: Invalid value: "1": must evaluate to string but got int',
      "spec.variables[0].expression: Invalid value: \"variables.b\": compilation failed: ERROR: <input>:1:10: undefined field 'b'", "spec.matchConditions[0].expression: Invalid value: \"variables.a\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'variables' (in container '')",
      "spec.auditAnnotations[0].valueExpression: Invalid value: \"nope\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'nope' (in container '')",
    ]) expect(refused.stderr).toContain(text)
  })

  it('that is about kinds it does not fit says so in its status', async () => {
    await cluster.apply(policy('typed', { variables: [{ name: 'n', expression: 'object.spec.replicas' }], validations: [{ expression: 'object.replicas > 1', messageExpression: "'must be more than ' + object.spec.replica" }, { expression: "variables.n > 1 && object.metadata.namespace != '' && object.metadata.creationTimestamp != null && object.spec.template.spec.containers.all(c, c.image != '')" }, { expression: 'variables.n == "a"' }] }))
    await cluster.kubectl('wait', '--for=jsonpath={.status.observedGeneration}=1', 'validatingadmissionpolicy/typed', '--timeout=10s')
    const { status } = JSON.parse(await cluster.kubectl('get', 'validatingadmissionpolicy', 'typed', '-o', 'json')) as { status: unknown }
    expect(status).toEqual({ observedGeneration: 1, typeChecking: { expressionWarnings: [
      { fieldRef: 'spec.validations[0].expression', warning: "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n" },
      { fieldRef: 'spec.validations[0].messageExpression', warning: "apps/v1, Kind=Deployment: ERROR: <input>:1:35: undefined field 'replica'\n | 'must be more than ' + object.spec.replica\n | ..................................^\n" },
      { fieldRef: 'spec.validations[2].expression', warning: "apps/v1, Kind=Deployment: ERROR: <input>:1:13: found no matching overload for '_==_' applied to '(int, string)'\n | variables.n == \"a\"\n | ............^\n" },
    ] } })
    await cluster.apply(policy('typed', { validations: [{ expression: 'object.spec.replicas > 1' }] }))
    await cluster.kubectl('wait', '--for=jsonpath={.status.observedGeneration}=2', 'validatingadmissionpolicy/typed', '--timeout=10s')
    expect(await cluster.kubectl('get', 'validatingadmissionpolicy', 'typed', '-o', 'jsonpath={.status.typeChecking}')).toBe('{}')
    await remove('validatingadmissionpolicy/typed')
  })

  it('sees deletions, subresources, connections, and other versions of what is written', async () => {
    const seen = { matchResources: { namespaceSelector: { matchLabels: { environment: 'test' } } } }
    await cluster.apply(policy('keep', { matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['configmaps'] }] }, validations: [{ expression: "oldObject.?data.?keep.orValue('') != 'yes'", message: 'it is kept' }] }))
    await cluster.apply(binding('keep', seen))
    await cluster.kubectl('create', 'configmap', 'kept', '-n', 'tested', '--from-literal=keep=yes')
    await cluster.kubectl('create', 'configmap', 'not-kept', '-n', 'tested', '--from-literal=keep=no')
    expect((await cluster.tryKubectl(['delete', 'configmap', 'kept', '-n', 'tested'])).stderr).toContain('denied request: it is kept')
    expect((await cluster.tryKubectl(['delete', 'configmap', '-n', 'tested', '--field-selector', 'metadata.name=kept'])).stderr).toContain('denied request: it is kept')
    expect((await cluster.tryKubectl(['delete', 'configmap', 'not-kept', '-n', 'tested'])).code).toBe(0)

    await cluster.apply(policy('no-exec', { matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CONNECT'], resources: ['pods/exec', 'pods/proxy'] }] }, validations: [{ expression: "request.subResource == 'proxy' ? object.path != '/secret' : !object.command.exists(c, c == 'rm')", message: 'not that' }] }))
    await cluster.apply(binding('no-exec', seen))
    await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'tested' }, spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'i' }] } })
    expect((await cluster.tryKubectl(['exec', '-n', 'tested', 'p', '--', 'rm', 'x'])).stderr).toContain('denied request: not that')
    expect((await cluster.tryKubectl(['exec', '-n', 'tested', 'p', '--', 'ls'])).stderr).not.toContain('denied request')
    expect((await cluster.tryKubectl(['get', '--raw', '/api/v1/namespaces/tested/pods/p/proxy/secret'])).stderr).toContain('denied request: not that')

    await cluster.apply(policy('scale', { matchConstraints: { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['UPDATE'], resources: ['*/scale'] }] }, validations: [{ expression: "object.kind == 'Scale' && oldObject.kind == 'Scale' && request.kind.group == 'autoscaling' && request.resource.resource == 'deployments' && object.spec.replicas <= 8", message: 'too far' }] }))
    await cluster.apply(binding('scale', seen))
    expect((await cluster.tryKubectl(['scale', 'deployment/few', '-n', 'tested', '--replicas=9'])).stderr).toContain('denied request: too far')
    expect((await cluster.tryKubectl(['scale', 'deployment/few', '-n', 'tested', '--replicas=8'])).code).toBe(0)

    const hpa = { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata: { name: 'h', namespace: 'tested' }, spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'few' }, maxReplicas: 9, targetCPUUtilizationPercentage: 80 } }
    const about = (matchPolicy: string) => ({ matchConstraints: { matchPolicy, resourceRules: [{ apiGroups: ['autoscaling'], apiVersions: ['v2'], operations: ['CREATE'], resources: ['horizontalpodautoscalers'] }] }, validations: [{ expression: "request.requestKind.version == 'v1' && request.kind.version == 'v2' && object.spec.metrics[0].resource.target.averageUtilization < 80", message: 'too hot' }] })
    await cluster.apply(policy('hpa', about('Equivalent')))
    await cluster.apply(binding('hpa', seen))
    expect((await apply(hpa)).stderr).toContain('denied request: too hot')
    await cluster.apply(policy('hpa', about('Exact')))
    expect((await apply(hpa)).code).toBe(0)
    await remove('validatingadmissionpolicy/keep', 'validatingadmissionpolicy/no-exec', 'validatingadmissionpolicy/scale', 'validatingadmissionpolicy/hpa')
  })
})

describe('MutatingAdmissionPolicy', () => {
  it('adds what its configuration says', async () => {
    await cluster.apply(mutating('sidecar-policy.example.com', {
      matchConstraints: deployments('CREATE'), matchConditions: [{ name: 'does-not-already-have-sidecar', expression: "!object.spec.template.spec.?initContainers.orValue([]).exists(ic, ic.name == 'mesh-proxy')" }],
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{initContainers: [Object.spec.template.spec.initContainers{name: 'mesh-proxy', image: 'mesh/proxy:v1.0.0', args: ['proxy', 'sidecar'], restartPolicy: 'Always'}]}}}}" } }],
    }))
    await cluster.apply(mutatingBinding('sidecar-policy.example.com'))
    expect((await apply(deployment('meshed', 'produced', 1))).code).toBe(1) // args is atomic
    await remove('mutatingadmissionpolicy/sidecar-policy.example.com')
    await cluster.apply(mutating('sidecar-policy.example.com', {
      matchConstraints: deployments('CREATE'), variables: [{ name: 'image', expression: "'mesh/proxy:v1.0.0'" }],
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: "Object{metadata: Object.metadata{annotations: {'meshed-by': request.userInfo.username}}, spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{initContainers: [Object.spec.template.spec.initContainers{name: 'mesh-proxy', image: variables.image, restartPolicy: 'Always'}]}}}}" } }],
    }))
    expect((await apply(deployment('meshed', 'produced', 1))).code).toBe(0)
    expect(await cluster.kubectl('get', 'deployment', 'meshed', '-n', 'produced', '-o', 'jsonpath={.spec.template.spec.initContainers[*].image} {.metadata.annotations.meshed-by} {.spec.template.spec.containers[*].name}')).toBe('mesh/proxy:v1.0.0 kubernetes-admin c')
    await remove('mutatingadmissionpolicy/sidecar-policy.example.com')
  })

  it('patches, before validating policies look', async () => {
    await cluster.apply(mutating('label', {
      matchConstraints: configMaps, matchConditions: [{ name: 'mine', expression: "request.namespace == 'produced'" }],
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: "[has(object.metadata.labels) ? JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('example.com/environment'), value: 'test'} : JSONPatch{op: 'add', path: '/metadata/labels', value: {'example.com/environment': 'test'}}]" } }],
    }))
    await cluster.apply(mutatingBinding('label'))
    await cluster.apply(policy('labelled', { matchConstraints: configMaps, validations: [{ expression: "request.namespace != 'produced' || object.metadata.labels['example.com/environment'] == 'test'" }] }))
    await cluster.apply(binding('labelled'))
    await cluster.kubectl('create', 'configmap', 'a', '-n', 'produced')
    expect(await cluster.kubectl('get', 'configmap', 'a', '-n', 'produced', '--show-labels', '--no-headers')).toContain('example.com/environment=test')
    await remove('mutatingadmissionpolicy/label')
    expect((await cluster.tryKubectl(['create', 'configmap', 'b', '-n', 'produced'])).stderr).toContain('no such key: labels')
    await remove('validatingadmissionpolicy/labelled')
  })

  it('changes what scales', async () => {
    await cluster.apply(mutating('scales', { matchConstraints: { resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments/scale'] }] }, mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{spec: Object.spec{replicas: object.spec.replicas > 4 ? 4 : object.spec.replicas}}' } }] }))
    await cluster.apply(mutatingBinding('scales'))
    await cluster.kubectl('scale', 'deployment/many', '-n', 'produced', '--replicas=7')
    expect(await cluster.kubectl('get', 'deployment', 'many', '-n', 'produced', '-o', 'jsonpath={.spec.replicas}')).toBe('4')
    await remove('mutatingadmissionpolicy/scales')
  })

  it('changes custom resources too', async () => {
    await cluster.apply(mutating('custom', {
      matchConstraints: { resourceRules: [{ apiGroups: ['rules.example.com'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }] },
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{maxReplicas: object.maxReplicas + 1}' } }],
    }))
    await cluster.apply(mutatingBinding('custom'))
    await cluster.apply({ apiVersion: 'rules.example.com/v1', kind: 'ReplicaLimit', metadata: { name: 'raised', namespace: 'default' }, maxReplicas: 3 })
    expect(await cluster.kubectl('get', 'replicalimit', 'raised', '-n', 'default', '-o', 'jsonpath={.maxReplicas}')).toBe('4')
    await remove('mutatingadmissionpolicy/custom')
  })

  it('that writes a wrong type or null into a custom resource has failed', async () => {
    const limit = { apiVersion: 'rules.example.com/v1', kind: 'ReplicaLimit', metadata: { name: 'wrong', namespace: 'default' }, maxReplicas: 3 }
    const writing = (value: string, failurePolicy: string) => cluster.apply(mutating('wrong', {
      failurePolicy,
      matchConstraints: { resourceRules: [{ apiGroups: ['rules.example.com'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }] },
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: `Object{maxReplicas: ${value}}` } }],
    }))
    await cluster.apply(mutatingBinding('wrong'))
    for (const [value, type] of [["'many'", 'string'], ['null', 'structpb.NullValue']] as const) {
      await writing(value, 'Fail')
      const refused = await apply(limit)
      expect(refused.code).toBe(1)
      expect(refused.stderr).toContain(`policy 'wrong' with binding 'wrong-binding' denied request: error applying patch: failed to convert patch object to typed object: .maxReplicas: expected numeric (int or float), got ${type}`)
    }
    await writing('null', 'Ignore')
    expect((await apply(limit)).code).toBe(0)
    await remove('mutatingadmissionpolicy/wrong')
  })
})
