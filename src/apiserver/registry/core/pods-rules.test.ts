import { describe, expect, it } from 'vitest'
import { apps, core } from '../../../api/index.ts'
import { context, createErrors, created, environment, statusErrors, updateErrors } from '../testing.ts'
import { strategyFor } from '../strategies.ts'

const web = { name: 'web', image: 'nginx:1.27' }
const pod = (spec: object, metadata: object = {}) => ({ metadata: { name: 'web', namespace: 'default', ...metadata }, spec: { containers: [web], ...spec } })
const c = (more: object) => pod({ containers: [{ ...web, ...more }] })
const v = (source: object) => pod({ volumes: [{ name: 'x', ...source }] })
const errors = (object: object) => createErrors(core.pods, object)
const label = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

describe('what a source of a volume must say', () => {
  it.each<[string, object, string[]]>([
    ['disk of Google', { gcePersistentDisk: { partition: 256 } }, ['persistentDisk.pdName: Required value', 'persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive']],
    ['disk of Amazon', { awsElasticBlockStore: { volumeID: 'v', partition: -1 } }, ['awsElasticBlockStore.partition: Invalid value: -1: must be between 1 and 255, inclusive']],
    ['git repository', { gitRepo: { directory: '/a/..' } }, ['gitRepo.repository: Required value', 'gitRepo.directory: Invalid value: "/a/..": must be a relative path', 'gitRepo.directory: Invalid value: "/a/..": must not contain \'..\'']],
    ['share without a path', { nfs: { server: 's', path: '' } }, ['nfs.path: Required value', 'nfs.path: Invalid value: "": must be an absolute path']],
    ['iSCSI disk', { iscsi: { targetPortal: 'a', iqn: 'x', lun: 256, chapAuthSession: true } },
      ['iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa', 'iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive', 'iscsi.secretRef: Required value']],
    ['Fibre Channel disk', { fc: {} }, ['fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not both']],
    ['Fibre Channel disk without a number', { fc: { targetWWNs: ['a'] } }, ['fc.lun: Required value: lun is required if targetWWNs is specified']],
    ['Ceph block device', { rbd: { image: 'i' } }, ['rbd.monitors: Required value']],
    ['Ceph file system', { cephfs: {} }, ['cephfs.monitors: Required value']],
    ['Flocker data set', { flocker: {} }, ['flocker: Required value: one of datasetName and datasetUUID is required']],
    ['Quobyte volume', { quobyte: { registry: 'x', volume: 'v' } }, ['quobyte.registry: Invalid value: "x": must be a host:port pair or multiple pairs separated by commas']],
    ['FlexVolume', { flexVolume: { driver: 'd', options: { 'a.kubernetes.io/b': 'c' } } }, ['flexVolume.options[a.kubernetes.io/b]: Invalid value: "a.kubernetes.io/b": kubernetes.io and k8s.io namespaces are reserved']],
    ['Azure disk', { azureDisk: { diskName: 'd', diskURI: 'x', kind: 'Managed', cachingMode: 'X' } },
      ['azureDisk.cachingMode: Unsupported value: "X": supported values: "None", "ReadOnly", "ReadWrite"', 'azureDisk.diskURI: Unsupported value: "x": supported values: "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"']],
    ['two sources, the first of them faulty', { secret: { secretName: '' }, cephfs: { monitors: ['m'] }, downwardAPI: {} },
      ['secret.secretName: Required value', 'cephFS: Forbidden: may not specify more than 1 volume type', 'downwarAPI: Forbidden: may not specify more than 1 volume type']],
    ['ScaleIO volume', { scaleIO: { gateway: 'g', system: 's', secretRef: { name: 'n' } } }, ['scaleIO.volumeName: Required value']],
    ['CSI volume', { csi: { driver: '' } }, ['csi.driver: Required value', `csi.driver: Invalid value: "": ${label}`]],
    ['CSI driver with a long name', { csi: { driver: 'a'.repeat(64) } }, ['csi.driver: Too long: may not be more than 63 bytes']],
    ['image', { image: { pullPolicy: 'X' } }, ['image.pullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"', 'image.reference: Required value']],
    ['claim template', { ephemeral: { volumeClaimTemplate: { metadata: { name: 'a' }, spec: { accessModes: ['X'], resources: { requests: { storage: '1Gi' } } } } } },
      ['ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set', 'ephemeral.volumeClaimTemplate.spec.accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"']],
    ['file of the pod', { downwardAPI: { items: [{ path: '..a' }] } },
      ['downwardAPI.path: Invalid value: "..a": must not start with \'..\'', 'downwardAPI: Required value: one of fieldRef and resourceFieldRef is required']],
    ['two sources in one', { projected: { sources: [{ secret: { name: 'a' }, configMap: { name: 'b' } }] } }, ['projected.sources[0]: Forbidden: may not specify more than 1 volume type per source']],
    ['files that collide', { projected: { sources: [{ secret: { name: 'a', items: [{ key: 'k', path: 'p' }] } }, { configMap: { name: 'b', items: [{ key: 'k', path: 'p' }] } }] } },
      ['projected: Invalid value: "b": conflicting duplicate paths']],
    ['trust bundle', { projected: { sources: [{ clusterTrustBundle: { path: 'a' } }] } }, ['projected.sources[0].clusterTrustBundle: Required value: either name or signerName must be specified']],
  ])('%s', (_, source, wrong) => {
    expect(errors(v(source))).toEqual(wrong.map((line) => `spec.volumes[0].${line}`))
  })
  it('lets any entry of a config map become a file', () => {
    expect(errors(v({ configMap: { name: 'c', items: [{ key: 'a b', path: 'p' }] } }))).toEqual([])
  })
  it('refuses a claim that the pod itself will make', () => {
    const template = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
    expect(errors(pod({ volumes: [{ name: 'a', ephemeral: { volumeClaimTemplate: template } }, { name: 'b', persistentVolumeClaim: { claimName: 'web-a' } }] })))
      .toEqual(['spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "web-a": must not reference a PVC that gets created for an ephemeral volume'])
  })
  it('refuses a token where there is no service account', () => {
    expect(errors(v({ projected: { sources: [{ serviceAccountToken: { path: 't' } }] } })))
      .toEqual(['spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set'])
  })
})

describe('what a container must say', () => {
  const volumes = [{ name: 'x', persistentVolumeClaim: { claimName: 'x' } }]
  const mounting = (more: object) => pod({ volumes, containers: [{ ...web, ...more }] })
  it.each<[string, object, string[]]>([
    ['host port on the host network', pod({ hostNetwork: true, containers: [{ ...web, ports: [{ containerPort: 80, hostPort: 81 }] }] }), ['ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true']],
    ['termination messages', c({ terminationMessagePolicy: 'X' }), ['terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"']],
    ['unknown field', c({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.x' } } }] }), ['env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": error converting fieldPath: field label not supported: spec.x']],
    ['subscript', c({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "spec.x['a']" } } }] }), ['env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x[\'a\']": error converting fieldPath: field label does not support subscript: spec.x[\'a\']']],
    ['divisor', c({ env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } } }] }), ["env[0].valueFrom.resourceFieldRef.divisor: Invalid value: \"limits.cpu\": only divisor's values 1m and 1 are supported with the cpu resource"]],
    ['name of a config map', c({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'X', key: 'k' } } }] }), [`env[0].valueFrom.configMapKeyRef.name: Invalid value: "X": ${label}`]],
    ['value twice', c({ env: [{ name: 'A', value: 'v', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }), ['env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty']],
    ['source of variables', c({ envFrom: [{}] }), ['envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`']],
    ['header', c({ readinessProbe: { httpGet: { port: 80, httpHeaders: [{ name: 'a b', value: '' }] } } }), ["readinessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"]],
    ['sub path', mounting({ volumeMounts: [{ name: 'x', mountPath: '/x', subPath: '../a' }] }), ["volumeMounts.subPath: Invalid value: \"../a\": must not contain '..'"]],
    ['device and mount', mounting({ volumeMounts: [{ name: 'x', mountPath: '/x' }], volumeDevices: [{ name: 'x', devicePath: '/dev/../x' }] }), [
      'volumeMounts[0].name: Invalid value: "x": must not already exist in volumeDevices',
      'volumeDevices[0].devicePath: Invalid value: "/dev/../x": can not contain backsteps (\'..\')',
      'volumeDevices[0].name: Invalid value: "x": must not already exist in volumeMounts',
    ]],
    ['resize policy', pod({ restartPolicy: 'Never', containers: [{ ...web, resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }] }), ["resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'"]],
    ['claim', c({ resources: { claims: [{ name: 'a' }] } }), ['resources.claims[0]: Not found: "a": must be one of the names in pod.spec.resourceClaims which is empty']],
    ['huge pages', c({ resources: { limits: { cpu: '1', 'hugepages-2Mi': '3Mi' } } }), ['resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi', 'resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi']],
    ['profile', c({ securityContext: { seccompProfile: { type: 'Localhost' } } }), ['securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost']],
    ['profile with spaces', c({ securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: ' a' } } }), ['securityContext.appArmorProfile.localhostProfile: Invalid value: " a": must not be padded with whitespace']],
    ['too many rules', c({ restartPolicy: 'Never', restartPolicyRules: Array.from({ length: 21 }, () => ({ action: 'Restart', exitCodes: { operator: 'In', values: [1] } })) }), ['restartPolicyRules: Too many: 21: must have at most 20 items']],
    ['too many codes', c({ restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: Array.from({ length: 256 }, (_, i) => i) } }] }), ['restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items']],
    ['file that climbs', c({ env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: '../a', key: 'K' } } }] }), ["env[0].valueFrom.fileKeyRef.path: Invalid value: \"../a\": must not contain '..'"]],
    ['Windows user', c({ securityContext: { windowsOptions: { runAsUserName: 'a\\b\\c' } } }), ['securityContext.windowsOptions.runAsUserName: Invalid value: "a\\\\b\\\\c": runAsUserName cannot contain more than one backslash']],
  ])('%s', (_, object, wrong) => {
    expect(errors(object)).toEqual(wrong.map((line) => `spec.containers[0].${line}`))
  })
  it('may be named like something Kubernetes has, with a prefix', () => {
    expect(errors(c({ resources: { limits: { 'example.com/gpu': '1' } } }))).toEqual([])
    expect(errors(c({ resources: { limits: { 'example.com/gpu': '1500m' } } }))[0]).toBe('spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "1500m": must be an integer')
  })
})

describe('what a pod must say', () => {
  const spread = (more: object) => ({ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', ...more })
  const near = (more: object) => pod({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', ...more }] } } })
  it.each<[string, object, string[]]>([
    ['toleration', pod({ tolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] }), ['spec.tolerations[0].operator: Invalid value: "b": value must be empty when `operator` is \'Exists\'']],
    ['effect', pod({ tolerations: [{ key: 'a', effect: 'X' }] }), ['spec.tolerations[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"']],
    ['spread twice', pod({ topologySpreadConstraints: [spread({}), spread({})] }), ['spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"']],
    ['spread by keys of nothing', pod({ topologySpreadConstraints: [spread({ matchLabelKeys: ['a'] })] }), ['spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set']],
    ['domains', pod({ topologySpreadConstraints: [spread({ minDomains: 1, whenUnsatisfiable: 'ScheduleAnyway' })] }), ['spec.topologySpreadConstraints[0].minDomains: Invalid value: 1: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway']],
    ['namespace', near({ namespaces: ['A'] }), ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespace: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"]],
    ['keys of both sorts', near({ labelSelector: {}, matchLabelKeys: ['a'], mismatchLabelKeys: ['a'] }), ['spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and mismatchLabelKeys']],
    ['gate twice', pod({ schedulingGates: [{ name: 'g' }, { name: 'g' }] }), ['spec.schedulingGates[1]: Duplicate value: "g"']],
    ['sharing', pod({ shareProcessNamespace: true, hostPID: true }), ['spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled']],
    ['group policy', pod({ securityContext: { fsGroupChangePolicy: 'X' } }), ['spec.securityContext.fsGroupChangePolicy: Unsupported value: "X": supported values: "Always", "OnRootMismatch"']],
    ['sysctl', pod({ securityContext: { sysctls: [{ name: 'A', value: '' }] } }), [String.raw`spec.securityContext.sysctls[0].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`]],
    ['sysctl of the host', pod({ hostIPC: true, securityContext: { sysctls: [{ name: 'kernel.shmmax', value: '1' }, { name: 'kernel.shm_next_id', value: '1' }, { name: 'fs/mqueue/msg_max', value: '1' }] } }), [
      "spec.securityContext.sysctls[0].name: Invalid value: \"kernel.shmmax\": may not be specified when 'hostIPC' is true",
      "spec.securityContext.sysctls[2].name: Invalid value: \"fs/mqueue/msg_max\": may not be specified when 'hostIPC' is true",
    ]],
    ['system', pod({ os: { name: 'plan9' } }), ['spec.os: Unsupported value: "plan9": supported values: "linux", "windows"']],
    ['Windows with a Linux field', pod({ os: { name: 'windows' }, securityContext: { runAsUser: 1 } }), ['spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod']],
    ['Linux with Windows options', pod({ os: { name: 'linux' }, securityContext: { windowsOptions: { runAsUserName: 'a' } } }), ['spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod']],
    ['overhead', pod({ overhead: { cpu: '-1' } }), ['spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0']],
    ['alias', pod({ hostAliases: [{ ip: '10.0.0.1', hostnames: ['A'] }] }), [`spec.hostAliases[0].hostnames[0]: Invalid value: "A": ${label}`]],
    ['deletion cost', pod({}, { annotations: { 'controller.kubernetes.io/pod-deletion-cost': 'much' } }), ['metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "much": must be a 32bit integer']],
    ['mirror of nothing', pod({}, { annotations: { 'kubernetes.io/config.mirror': 'x' } }), ['metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set']],
    ['limit above the pod', pod({ resources: { limits: { cpu: '1' } }, containers: [{ ...web, resources: { limits: { cpu: '2' }, requests: { cpu: '1' } } }] }), ['spec.resources.containers[0][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1']],
  ])('%s', (_, object, wrong) => {
    expect(errors(object)).toEqual(wrong)
  })
})

describe('a template', () => {
  const of = (template: object) => createErrors(apps.deployments, { metadata: { name: 'd', namespace: 'default' }, spec: { selector: { matchLabels: { a: 'b' } }, template } })
  it('leaves open what its pods will have', () => {
    const spec = { hostNetwork: true, containers: [{ ...web, image: ' later ', ports: [{ containerPort: 80 }] }] }
    expect(of({ metadata: { labels: { a: 'b' }, finalizers: ['x'] }, spec })).toEqual([])
  })
  it('names its labels without its metadata', () => {
    expect(of({ metadata: { labels: { a: 'b', 'c d': '' } }, spec: { containers: [web] } })[0]).toMatch(/^spec\.template\.labels: Invalid value: "c d": name part must consist of/)
  })
})

describe('the status of a pod', () => {
  const strategy = strategyFor(core.pods as never, environment) as import('../../strategy.ts').Strategy<core.Pod>
  const current = created(core.pods, pod({}))
  it.each<[string, object, string[]]>([
    ['address', { podIPs: [{ ip: '1.2.3' }] }, ['status.podIPs[0]: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
    ['two of one family', { podIPs: [{ ip: '1.2.3.4' }, { ip: '1.2.3.5' }] }, ['status.podIPs: Invalid value: [{"ip":"1.2.3.4"},{"ip":"1.2.3.5"}]: may specify no more than one IP for each IP family']],
    ['host', { hostIP: '1.1.1.1', hostIPs: [{ ip: '2.2.2.2' }] }, ['status.hostIPs[0].ip: Invalid value: "2.2.2.2": must be equal to `hostIP`']],
  ])('refuses a wrong %s', (_, status, wrong) => {
    const next = { ...current, status: { ...current.status, ...status } }
    expect(statusErrors(strategy, next, current)).toEqual(wrong)
  })
})

describe('a resize', () => {
  const ctx = context({ subresource: 'resize' })
  it('keeps requests and limits that are there', () => {
    const sized = created(core.pods, c({ resources: { requests: { cpu: '1' }, limits: { cpu: '2' } } }))
    expect(updateErrors(core.pods, { ...pod({ ...sized.spec, containers: [{ ...sized.spec.containers[0], resources: { requests: { cpu: '1' } } }] }) }, sized, ctx))
      .toContain('spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed')
  })
  it('does not reach static pods', () => {
    const mirror = created(core.pods, pod({ nodeName: 'n' }, { annotations: { 'kubernetes.io/config.mirror': 'x' } }))
    expect(updateErrors(core.pods, mirror, mirror, ctx)).toEqual(['[]: Forbidden: static pods cannot be resized'])
  })
})
