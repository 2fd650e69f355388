import { describe, expect, it } from 'vitest'
import {
  admissionregistration, apiextensions, apiregistration, autoscaling, certificates, coordination, core, discovery, dra, flowcontrol, networking, node, policy, scheduling, storage,
  type Resource,
} from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { Strategy } from '../strategy.ts'
import { strategyFor } from './strategies.ts'
import { complete, context, createErrors, created, environment, row, statusErrors, updated, updateErrors } from './testing.ts'
import { signingRequest as csr } from '../testing/signing-request.ts'

const named = (body: object, name = 'a') => ({ metadata: { name, namespace: 'default' }, ...body })
const backend = { service: { name: 'web', port: { number: 80 } } }
const ingress = (path: object) => ({ spec: { rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend, ...path }] } }] } })
const webhook = { name: 'a.example.com', clientConfig: { service: { name: 's', namespace: 'n' } }, sideEffects: 'None', admissionReviewVersions: ['v1'], rules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }] }
const claim = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
const volume = { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } } }
const crd = (spec: object = {}) => ({
  metadata: { name: 'boats.example.com' },
  spec: {
    group: 'example.com', scope: 'Namespaced', names: { plural: 'boats', kind: 'Boat' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }], ...spec,
  },
})

const any = <T extends ApiObject, I>(resource: Resource<T, I>) => resource as unknown as Resource<ApiObject>

describe('defaults', () => {
  it.each<[string, Resource<ApiObject>, object, object]>([
    ['a claim is for a file system', any(core.persistentvolumeclaims), claim, { spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } }],
    ['a volume is retained', any(core.persistentvolumes), volume, { spec: { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem', hostPath: { type: '' } } }],
    ['a policy is about what comes in, by TCP', any(networking.networkpolicies), { spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] } }, { spec: { policyTypes: ['Ingress'], ingress: [{ ports: [{ protocol: 'TCP', port: 80 }] }] } }],
    ['a policy with a way out is about both', any(networking.networkpolicies), { spec: { podSelector: {}, egress: [{}] } }, { spec: { policyTypes: ['Ingress', 'Egress'] } }],
    ['an autoscaler aims at 80 % of the cpu', any(autoscaling.horizontalpodautoscalers), { spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 3, behavior: { scaleUp: {} } } },
      { spec: { minReplicas: 1, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }], behavior: { scaleDown: { selectPolicy: 'Max' } } } }],
    ['a storage class deletes at once', any(storage.storageclasses), { provisioner: 'p' }, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }],
    ['a driver attaches', any(storage.csidrivers), { spec: {} }, { spec: { attachRequired: true, podInfoOnMount: false, volumeLifecycleModes: ['Persistent'], fsGroupPolicy: 'ReadWriteOnceWithFSType' } }],
    ['a priority class preempts', any(scheduling.priorityclasses), { value: 1 }, { preemptionPolicy: 'PreemptLowerPriority' }],
    ['a slice has TCP ports', any(discovery.endpointslices), { addressType: 'IPv4', endpoints: [], ports: [{ port: 80 }] }, { ports: [{ name: '', protocol: 'TCP', port: 80 }] }],
    ['a limit range fills in from max and min', any(core.limitranges), { spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } }] } },
      { spec: { limits: [{ default: { cpu: '2' }, defaultRequest: { cpu: '2', memory: '1Mi' } }] } }],
    ['a webhook fails closed', any(admissionregistration.mutatingwebhookconfigurations), { webhooks: [webhook] },
      { webhooks: [{ failurePolicy: 'Fail', matchPolicy: 'Equivalent', timeoutSeconds: 10, reinvocationPolicy: 'Never', namespaceSelector: {}, objectSelector: {}, rules: [{ scope: '*' }], clientConfig: { service: { port: 443 } } }] }],
    ['a definition completes its names', any(apiextensions.customresourcedefinitions), crd(), { spec: { names: { singular: 'boat', listKind: 'BoatList' }, conversion: { strategy: 'None' } } }],
    ['a claim for devices is for one', any(dra.resourceclaims), { spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }] } } }, { spec: { devices: { requests: [{ exactly: { allocationMode: 'ExactCount', count: 1 } }] } } }],
    ['a level of priority queues', any(flowcontrol.prioritylevelconfigurations), { spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: {} } } } },
      { spec: { limited: { nominalConcurrencyShares: 30, lendablePercent: 0, limitResponse: { queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } } } } }],
    ['a flow schema comes late', any(flowcontrol.flowschemas), { spec: { priorityLevelConfiguration: { name: 'p' } } }, { spec: { matchingPrecedence: 1000 } }],
  ])('%s', (_, resource, written, expected) => {
    expect(complete(resource, named(written))).toMatchObject(expected)
  })
})

describe('what is wrong with', () => {
  it.each<[string, Resource<ApiObject>, object, string[]]>([
    ['nothing: a claim', any(core.persistentvolumeclaims), claim, []],
    ['a claim without modes', any(core.persistentvolumeclaims), { spec: { resources: { requests: { storage: '1Gi' } } } }, ['spec.accessModes: Required value: at least 1 access mode is required']],
    ['a claim without size', any(core.persistentvolumeclaims), { spec: { accessModes: ['ReadWriteOnce'] } }, ['spec.resources[storage]: Required value']],
    ['nothing: a volume', any(core.persistentvolumes), volume, []],
    ['a volume of nothing', any(core.persistentvolumes), { spec: { ...volume.spec, hostPath: undefined } }, ['spec: Required value: must specify a volume type']],
    ['a local volume anywhere', any(core.persistentvolumes), { spec: { ...volume.spec, hostPath: undefined, local: { path: '/x' } } }, ['spec.nodeAffinity: Required value: Local volume requires node affinity']],
    ['endpoints without addresses', any(core.endpoints), { subsets: [{}] }, ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`']],
    ['limits out of order', any(core.limitranges), { spec: { limits: [{ type: 'Container', min: { cpu: '2' }, max: { cpu: '1' }, default: { cpu: '2' }, defaultRequest: { cpu: '2' } }] } }, [
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than max value 1',
      'spec.limits[0].default[cpu]: Invalid value: "1": default value 2 is greater than max value 1',
    ]],
    ['an event elsewhere', any(core.events), { involvedObject: { namespace: 'other' } }, ['involvedObject.namespace: Invalid value: "other": does not match event.namespace']],
    ['nothing: an ingress', any(networking.ingresses), ingress({}), []],
    ['an ingress of nothing', any(networking.ingresses), { spec: {} }, ['spec: Invalid value: []: either `defaultBackend` or `rules` must be specified']],
    ['an ingress path without type', any(networking.ingresses), ingress({ pathType: undefined }), ['spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified']],
    ['a relative ingress path', any(networking.ingresses), ingress({ path: 'a' }), ['spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path']],
    ['an ingress backend without port', any(networking.ingresses), ingress({ backend: { service: { name: 'web' } } }), ['spec.rules[0].http.paths[0].backend: Required value: port name or number is required']],
    ['a policy peer that is nobody', any(networking.networkpolicies), { spec: { podSelector: {}, ingress: [{ from: [{}] }] } }, ['spec.ingress[0].from[0]: Required value: must specify a peer']],
    ['a hole outside the block', any(networking.networkpolicies), { spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }] }] } },
      ['spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`']],
    ['a class without controller', any(networking.ingressclasses), { spec: {} }, ['spec.controller: Required value']],
    ['an autoscaler of nothing', any(autoscaling.horizontalpodautoscalers), { spec: { minReplicas: 3, maxReplicas: 2 } }, [
      'spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`', 'spec.scaleTargetRef.kind: Required value', 'spec.scaleTargetRef.name: Required value',
    ]],
    ['a metric of nothing', any(autoscaling.horizontalpodautoscalers), { spec: { scaleTargetRef: { kind: 'Deployment', name: 'a' }, maxReplicas: 1, metrics: [{ type: 'Resource' }] } },
      ['spec.metrics[0].resource: Required value: must populate information for the given metric source']],
    ['a budget of both kinds', any(policy.poddisruptionbudgets), { spec: { minAvailable: 1, maxUnavailable: '10%' } },
      ['spec: Invalid value: {"minAvailable":1,"maxUnavailable":"10%"}: minAvailable and maxUnavailable cannot be both set']],
    ['a class of the system', any(scheduling.priorityclasses), { metadata: { name: 'system-mine' }, value: 1 }, ["metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class"]],
    ['a class of the system with another value', any(scheduling.priorityclasses), { metadata: { name: 'system-node-critical' }, value: 1, preemptionPolicy: 'X' }, [
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: value of system-node-critical PriorityClass must be 2000001000",
      'preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"',
    ]],
    ['a class above all', any(scheduling.priorityclasses), { value: 1000000001 }, ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000']],
    ['a slice of nameless ports', any(discovery.endpointslices), { addressType: 'IPv4', endpoints: [], ports: [{ port: 1 }, { port: 2 }] }, ['ports[1].name: Duplicate value: ""']],
    ['a slice of names', any(discovery.endpointslices), { addressType: 'FQDN', endpoints: [{ addresses: ['a', ''] }, { addresses: ['a.b.'] }], ports: [] },
      ['endpoints[0].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots', 'endpoints[0].addresses[1]: Required value']],
    ['a slice of nowhere', any(discovery.endpointslices), { addressType: 'IPv4', endpoints: [{ addresses: ['0.0.0.0'] }], ports: [] }, ['endpoints[0].addresses[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)']],
    ['a slice with hints twice', any(discovery.endpointslices), { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'], hints: { forZones: [{ name: 'a' }, { name: 'a' }], forNodes: Array.from({ length: 9 }, (_, i) => ({ name: `n${i}` })) } }], ports: [] },
      ['endpoints[0].hints.forZones[1].name: Duplicate value: "a"', 'endpoints[0].hints.forNodes: Too many: 9: must have at most 8 items']],
    ['a runtime class that takes too much', any(node.runtimeclasses), { handler: 'a', overhead: { podFixed: { cpu: '-1' } }, scheduling: { tolerations: [{ operator: 'Exists' }, { operator: 'Exists' }] } },
      ['overhead.podFixed.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0', 'scheduling.tolerations[1]: Duplicate value: {"operator":"Exists"}']],
    ['an API service at no port', any(apiregistration.apiservices), { metadata: { name: 'v1.g.io' }, spec: { group: 'g.io', version: 'v1', groupPriorityMinimum: 20001, versionPriority: 0, service: { namespace: '', name: '', port: 65536 }, insecureSkipTLSVerify: true, caBundle: 'eA==' } }, [
      'spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000', 'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
      'spec.service.namespace: Required value', 'spec.service.name: Required value', 'spec.service.port: Invalid value: 65536: port is not valid: must be between 1 and 65535, inclusive',
      'spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present',
    ]],
    ['a lease of no time', any(coordination.leases), { spec: { leaseDurationSeconds: 0 } }, ['spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0']],
    ['a slice of the other family', any(discovery.endpointslices), { addressType: 'IPv4', endpoints: [{ addresses: ['fd00::1'] }], ports: [] }, ['endpoints[0].addresses[0]: Invalid value: "fd00::1": must be an IPv4 address']],
    ['a runtime class of nothing', any(node.runtimeclasses), { handler: '' }, ['handler: Required value']],
    ['nothing: a request', any(certificates.certificatesigningrequests), { spec: { request: csr, signerName: 'example.com/x', usages: ['client auth'] } }, []],
    ['a request by a bad name', any(certificates.certificatesigningrequests), { spec: { request: csr, signerName: 'x/a_b', usages: ['client auth', 'client auth', 'x'] } }, [
      expect.stringMatching(/^spec.usages\[2\]: Unsupported value: "x": supported values: "any", "cert sign"/) as unknown as string, 'spec.usages[1]: Duplicate value: "client auth"',
      'spec.signerName: Invalid value: "x": should be a domain with at least two segments separated by dots', expect.stringMatching(/^spec.signerName: Invalid value: "a_b": validating label "a_b": a lowercase/) as unknown as string,
    ]],
    ['nothing: a new event elsewhere', any(core.events), { eventTime: '2026-01-01T00:00:00.000000Z', involvedObject: { namespace: 'other' }, reportingComponent: 'example.com/x', reportingInstance: 'i', action: 'a', reason: 'r' }, []],
    ['a new event of nothing', any(core.events), { eventTime: '2026-01-01T00:00:00.000000Z', involvedObject: { namespace: 'default' }, reason: 'r'.repeat(129), reportingComponent: 'c' }, [
      'reportingInstance: Required value', 'action: Required value', 'reason: Invalid value: "": can have at most 128 characters',
    ]],
    ['a request by no name', any(certificates.certificatesigningrequests), { spec: { request: csr, signerName: 'x', usages: [] } },
      ['spec.usages: Required value', 'spec.signerName: Invalid value: "x": must be a fully qualified domain and path of the form \'example.com/signer-name\'']],
    ['nothing: a webhook', any(admissionregistration.validatingwebhookconfigurations), { webhooks: [webhook] }, []],
    ['a webhook', any(admissionregistration.validatingwebhookconfigurations), { webhooks: [{ ...webhook, name: 'a', sideEffects: undefined, clientConfig: {}, timeoutSeconds: 31 }] }, [
      'webhooks[0].name: Invalid value: "a": should be a domain with at least three segments separated by dots',
      'webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun',
      'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
      'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
    ]],
    ['a webhook over plain http', any(admissionregistration.validatingwebhookconfigurations), { webhooks: [{ ...webhook, clientConfig: { url: 'http://a.b/c' } }] },
      ["webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]"]],
    ['nothing: a definition', any(apiextensions.customresourcedefinitions), crd(), []],
    ['a definition by another name', any(apiextensions.customresourcedefinitions), crd({ group: 'example.org' }), ['metadata.name: Invalid value: "boats.example.com": must be spec.names.plural+"."+spec.group']],
    ['a definition without schema', any(apiextensions.customresourcedefinitions), crd({ versions: [{ name: 'v1', served: true, storage: true }] }), ['spec.versions[0].schema.openAPIV3Schema: Required value']],
    ['a definition that stores nothing', any(apiextensions.customresourcedefinitions), crd({ versions: [{ name: 'v1', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } } }] }),
      ['spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}]: must have exactly one version marked as storage version',
        'status.storedVersions: Invalid value: null: must have at least one stored version']],
    ['a schema without types', any(apiextensions.customresourcedefinitions), crd({ versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: {} } } } }] }),
      ['spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields']],
    ['nothing: a schema as generators write it', any(apiextensions.customresourcedefinitions), crd({ versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: {
      type: 'object',
      properties: {
        apiVersion: { type: 'string' }, metadata: { type: 'object' },
        spec: { type: 'object', properties: { port: { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true }, any: { 'x-kubernetes-preserve-unknown-fields': true }, map: { type: 'object', additionalProperties: { type: 'string' } } }, oneOf: [{ required: ['port'] }] },
      },
    } } }] }), []],
    ['an API service by another name', any(apiregistration.apiservices), { spec: { group: 'g.io', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 } }, ['metadata.name: Invalid value: "a": must be `spec.version+"."+spec.group`: "v1.g.io"']],
    ['a storage class', any(storage.storageclasses), { provisioner: '', volumeBindingMode: 'Now' }, ['provisioner: Required value', 'volumeBindingMode: Unsupported value: "Now": supported values: "Immediate", "WaitForFirstConsumer"']],
  ])('%s', (_, resource, written, errors) => {
    expect(createErrors(resource, named(written))).toEqual(errors)
  })
})

describe('what cannot change', () => {
  it.each<[string, Resource<ApiObject>, object, object, string[]]>([
    ['the provisioner of a class', any(storage.storageclasses), { provisioner: 'a' }, { provisioner: 'b' }, ['provisioner: Forbidden: updates to provisioner are forbidden.']],
    ['the value of a priority', any(scheduling.priorityclasses), { value: 1 }, { value: 2 }, ['value: Forbidden: may not be changed in an update.']],
    ['the type of a slice', any(discovery.endpointslices), { addressType: 'IPv4', endpoints: [], ports: [] }, { addressType: 'IPv6', endpoints: [], ports: [] }, ['addressType: Invalid value: "IPv6": field is immutable']],
    ['the handler of a runtime class', any(node.runtimeclasses), { handler: 'a' }, { handler: 'b' }, ['handler: Invalid value: "b": field is immutable']],
    ['the source of a volume', any(core.persistentvolumes), volume, { spec: { ...volume.spec, hostPath: { path: '/other' } } },
      ['spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n- \thostPath.path: "/data"\n+ \thostPath.path: "/other"']],
    ['a claim that is not bound', any(core.persistentvolumeclaims), claim, { spec: { ...claim.spec, resources: { requests: { storage: '2Gi' } } } },
      ['spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n- \tresources.requests.storage: "1Gi"\n+ \tresources.requests.storage: "2Gi"']],
    ['nothing: the volume of a waiting claim', any(core.persistentvolumeclaims), claim, { spec: { ...claim.spec, volumeName: 'pv1', storageClassName: 'fast' } }, []],
  ])('%s', (_, resource, before, after, errors) => {
    expect(updateErrors(resource, named(after), created(resource, named(before)))).toEqual(errors)
  })

  it('a bound claim grows and does not shrink', () => {
    const bound = { ...created(core.persistentvolumeclaims, named({ spec: { ...claim.spec, volumeName: 'pv1' } })), status: { phase: 'Bound' as const, capacity: { storage: '1Gi' } } }
    const sized = (storageSize: string) => named({ spec: { ...claim.spec, volumeName: 'pv1', resources: { requests: { storage: storageSize } } } })
    expect(updateErrors(core.persistentvolumeclaims, sized('2Gi'), bound)).toEqual([])
    expect(updateErrors(core.persistentvolumeclaims, sized('1Mi'), bound)).toEqual(['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'])
  })
})

describe('warnings', () => {
  const warnings = (resource: Resource<ApiObject>, written: object, current?: ApiObject) => strategyFor(resource as unknown as Resource, environment).warnings?.(complete(resource, named(written)), current)
  it('name labels of nodes by their new names', () => {
    expect(warnings(any(node.runtimeclasses), { handler: 'a', scheduling: { nodeSelector: { 'beta.kubernetes.io/os': 'linux', 'kubernetes.io/os': 'linux', 'app.kubernetes.io/created-by': 'x' } } })).toEqual([
      'scheduling.nodeSelector: deprecated since v1.9', 'scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/os" instead',
    ])
    expect(warnings(any(node.runtimeclasses), { handler: 'a' })).toEqual([])
  })
  it('tell of new quotas with more requests than limits', () => {
    const quota = (hard: object) => warnings(any(core.resourcequotas), { spec: { hard } })
    expect(quota({ cpu: '2', 'limits.cpu': '1', 'requests.memory': '1Gi', memory: '9Gi', 'limits.memory': '2Gi', 'requests.ephemeral-storage': '3Gi', 'limits.ephemeral-storage': '2Gi' })).toEqual([
      'ResourceQuota cpu (2) should be less than limits.cpu (1)', 'ResourceQuota requests.ephemeral-storage (3Gi) should be less than limits.ephemeral-storage (2Gi)',
    ])
    expect(warnings(any(core.resourcequotas), { spec: { hard: { cpu: '2', 'limits.cpu': '1' } } }, named({}) as never)).toEqual([])
  })
})

describe('a lease', () => {
  const resource = coordination.leases
  const lease = (spec: object) => named({ spec })
  it('has no part in elections that are behind a gate', () => {
    expect(created(resource, lease({ holderIdentity: 'a', leaseTransitions: 1, strategy: 'X', preferredHolder: 'b' })).spec).toEqual({ holderIdentity: 'a', leaseTransitions: 1 })
    expect(updated(resource, lease({ strategy: 'X', preferredHolder: 'b' }), created(resource, lease({}))).spec).toEqual({})
    expect(createErrors(resource, lease({ leaseTransitions: -1 }))).toEqual(['spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0'])
  })
  it('that has such fields from elsewhere is still held to their rules', () => {
    const before = complete(resource, lease({ strategy: 'OldestEmulationVersion', preferredHolder: 'a' }))
    expect(updated(resource, lease({ strategy: 'example.com/mine', preferredHolder: 'b' }), before).spec).toEqual({ strategy: 'example.com/mine', preferredHolder: 'b' })
    expect(updateErrors(resource, lease({ strategy: 'X' }), before)).toEqual(['spec.strategy.strategy: Unsupported value: "X": supported values: "OldestEmulationVersion"'])
    expect(updateErrors(resource, lease({ preferredHolder: 'b' }), before)).toEqual(['spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined'])
  })
})

describe('a certificate signing request', () => {
  it('is made by who is logged in', () => {
    const ctx = context({ user: { name: 'jane', uid: 'u', groups: ['g'], extra: { scopes: ['s'] } } })
    const request = created(certificates.certificatesigningrequests, named({ spec: { request: csr, signerName: 'example.com/x', usages: ['client auth'], username: 'root' } }), ctx)
    expect(request.spec).toMatchObject({ username: 'jane', uid: 'u', groups: ['g'], extra: { scopes: ['s'] } })
  })
  it('is not approved through its status', () => {
    const strategy = strategyFor(certificates.certificatesigningrequests as unknown as Resource, environment) as unknown as Strategy<certificates.CertificateSigningRequest>
    const current = created(certificates.certificatesigningrequests, named({ spec: { request: csr, signerName: 'example.com/x', usages: ['client auth'] } }))
    const next = complete(certificates.certificatesigningrequests, named({ spec: current.spec, status: { conditions: [{ type: 'Approved', status: 'True' }, { type: 'Failed', status: 'True' }], certificate: 'eA==' } }))
    const prepared = (to: object, from: typeof current) => strategy.prepareForStatusUpdate?.({ ...next, status: { ...next.status, ...to } }, from, context()) as typeof current
    expect(statusErrors(strategy, prepared({ certificate: undefined }, current), current)).toEqual(['status.conditions: Forbidden: updates may not add a condition of type "Approved"'])
    const approved = { ...current, status: { conditions: [{ type: 'Approved', status: 'True', reason: 'ByHand', lastUpdateTime: '2026-01-01T00:00:00Z', lastTransitionTime: '2026-01-01T00:00:00Z' }] } }
    expect(prepared({}, approved).status.conditions).toMatchObject([approved.status.conditions[0], { type: 'Failed' }])
    expect(statusErrors(strategy, prepared({ certificate: undefined }, approved), approved)).toEqual([])
    expect(statusErrors(strategy, prepared({ certificate: undefined, conditions: [] }, approved), approved)).toEqual(['status.conditions: Forbidden: updates may not remove a condition of type "Approved"'])
    expect(statusErrors(strategy, prepared({ certificate: undefined, conditions: [...next.status.conditions ?? [], { type: 'Denied', status: 'True' }] }, approved), approved)).toEqual([
      'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive', 'status.conditions: Forbidden: updates may not add a condition of type "Denied"',
    ])
    expect(statusErrors(strategy, { ...next, status: { ...next.status, certificate: 'eQ==' } }, next)).toEqual(['status.certificate: Forbidden: updates may not modify existing certificate content'])
    expect(statusErrors(strategy, next, current)).toContain('status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block')
  })
})

describe('kubectl get', () => {
  it.each<[string, Resource<ApiObject>, object, object]>([
    ['a claim', any(core.persistentvolumeclaims), { spec: { ...claim.spec, volumeName: 'pv1' }, status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] } },
      { Status: 'Bound', Volume: 'pv1', Capacity: '1Gi', 'Access Modes': 'RWO', StorageClass: '', VolumeAttributesClass: '<unset>', VolumeMode: 'Filesystem' }],
    ['a volume', any(core.persistentvolumes), { spec: { ...volume.spec, claimRef: { namespace: 'n', name: 'c' } } }, { Capacity: '1Gi', 'Reclaim Policy': 'Retain', Status: 'Pending', Claim: 'n/c' }],
    ['endpoints', any(core.endpoints), { subsets: [{ addresses: ['1', '2', '3', '4'].map((n) => ({ ip: `10.0.0.${n}` })), ports: [{ port: 80 }] }] }, { Endpoints: '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...' }],
    ['no endpoints', any(core.endpoints), {}, { Endpoints: '<none>' }],
    ['a slice', any(discovery.endpointslices), { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 80 }] }, { AddressType: 'IPv4', Ports: '80', Endpoints: '10.0.0.1' }],
    ['a quota', any(core.resourcequotas), { status: { hard: { pods: '10', 'limits.cpu': '2' }, used: { pods: '3' } } }, { Request: 'pods: 3/10', Limit: 'limits.cpu: 0/2' }],
    ['an ingress', any(networking.ingresses), { spec: { ...ingress({}).spec, ingressClassName: 'nginx', tls: [{}] } }, { Class: 'nginx', Hosts: '*', Ports: '80, 443', Address: '' }],
    ['a policy', any(networking.networkpolicies), { spec: { podSelector: { matchLabels: { a: 'b' } } } }, { 'Pod-Selector': 'a=b' }],
    ['an address', any(networking.ipaddresses), { spec: { parentRef: { resource: 'services', namespace: 'n', name: 's' } } }, { ParentRef: 'services/n/s' }],
    ['an autoscaler', any(autoscaling.horizontalpodautoscalers), {
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 5 }, status: { currentReplicas: 2, currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 10 } } }] },
    }, { Reference: 'Deployment/web', Targets: 'cpu: 10%/80%', MinPods: '1', MaxPods: 5, Replicas: 2 }],
    ['a budget', any(policy.poddisruptionbudgets), { spec: { minAvailable: '50%' } }, { 'Min Available': '50%', 'Max Unavailable': 'N/A', 'Allowed Disruptions': 0 }],
    ['the default class', any(storage.storageclasses), { metadata: { name: 'std', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }, provisioner: 'p' }, { Name: 'std (default)', AllowVolumeExpansion: false }],
    ['a request', any(certificates.certificatesigningrequests), { spec: { request: csr, signerName: 'a.b/c', expirationSeconds: 3600 }, status: { conditions: [{ type: 'Approved', status: 'True' }], certificate: 'eA==' } },
      { Condition: 'Approved,Issued', RequestedDuration: '60m' }],
    ['an API service', any(apiregistration.apiservices), { spec: { groupPriorityMinimum: 1, versionPriority: 1 }, status: { conditions: [{ type: 'Available', status: 'True' }] } }, { Service: 'Local', Available: 'True' }],
    ['a claim for devices', any(dra.resourceclaims), { spec: { devices: {} } }, { State: 'pending' }],
  ])('shows %s', (_, resource, written, cells) => {
    expect(row(resource, complete(resource, named(written)))).toMatchObject(cells)
  })
})
