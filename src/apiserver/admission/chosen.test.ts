import { describe, expect, it } from 'vitest'
import { apps, core } from '../../api/index.ts'
import { isApiError } from '../../machinery/errors.ts'
import { createAuthorizer } from '../authz/authorizer.ts'
import { createRbacIndex } from '../authz/rbac.ts'
import { attributesOf, environment, type Loose, type Wanted } from '../testing/environment.ts'
import type { AdmissionPlugin } from './admission.ts'
import { createAdmissionChain } from './chain.ts'
import { checkPlugins, isOn } from './chosen.ts'
import { admissionPlugins } from './plugins.ts'
import { alwaysDeny } from './plugins/always-deny.ts'
import { alwaysPullImages } from './plugins/always-pull-images.ts'
import { denyServiceExternalIPs } from './plugins/deny-service-external-ips.ts'
import { ownerReferencesPermissionEnforcement } from './plugins/owner-references-permission-enforcement.ts'

const namesOf = (plugins: { readonly enable?: string[]; readonly disable?: string[] }) => admissionPlugins(environment(), createAuthorizer([]), { mountTokens: false, plugins }).map(({ name }) => name)
const refusal = async (plugin: AdmissionPlugin, resource: unknown, object: Loose, wanted: Wanted = {}): Promise<string> =>
  (async () => plugin.validate?.(attributesOf(resource, object, wanted)))().then(() => 'admitted', (error: unknown) => (isApiError(error) ? `${error.code} ${error.message}` : String(error)))

describe('the choice of plugins', () => {
  it('is Kubernetes\'s when nobody says anything, and NodeRestriction', () => {
    const on = namesOf({})
    expect(on).toEqual(expect.arrayContaining(['NamespaceLifecycle', 'PodSecurity', 'NodeRestriction', 'ResourceQuota']))
    for (const name of ['ExtendedResourceToleration', 'AlwaysPullImages', 'DenyServiceExternalIPs', 'OwnerReferencesPermissionEnforcement']) expect(on).not.toContain(name)
  })

  it('adds what is asked for at its place, and takes away what is not wanted', () => {
    const on = namesOf({ enable: ['ExtendedResourceToleration', 'AlwaysPullImages'], disable: ['LimitRanger', 'ServiceAccount'] })
    expect(on).not.toContain('LimitRanger')
    expect(on).not.toContain('ServiceAccount')
    expect(on.indexOf('AlwaysPullImages')).toBe(on.indexOf('PodSecurity') - 1)
    expect(on.indexOf('ExtendedResourceToleration')).toBe(on.indexOf('DefaultStorageClass') - 1)
    // What Kubernetes has no plugin for cannot be taken away.
    expect(isOn({ disable: ['RoleEscalation'] }, 'PodSecurity')).toBe(true)
    expect(on).toContain('RoleEscalation')
  })

  it('stands in Kubernetes\'s order', () => {
    const on = namesOf({ enable: ['AlwaysDeny', 'EventRateLimit', 'LimitPodHardAntiAffinityTopology', 'NamespaceAutoProvision', 'NamespaceExists', 'PodNodeSelector', 'PodTolerationRestriction'] })
    expect(on.slice(0, 5)).toEqual(['NamespaceAutoProvision', 'NamespaceLifecycle', 'NamespaceExists', 'LimitPodHardAntiAffinityTopology', 'LimitRanger'])
    const from = on.indexOf('PodSecurity')
    expect(on.slice(from, from + 7)).toEqual(['PodSecurity', 'PodNodeSelector', 'Priority', 'DefaultTolerationSeconds', 'PodTolerationRestriction', 'EventRateLimit', 'DefaultStorageClass'])
    expect(on.slice(-2)).toEqual(['ResourceQuota', 'AlwaysDeny'])
  })

  it('knows the names of Kubernetes, and says which it does not know', () => {
    checkPlugins({ enable: ['NodeRestriction', 'ClusterTrustBundleAttest'], disable: ['EventRateLimit', 'PodSecurity'] })
    checkPlugins({ enable: ['EventRateLimit'] }, ['EventRateLimit'])
    expect(() => checkPlugins({ enable: ['Nonsense'] })).toThrow('enable-admission-plugins plugin "Nonsense" is unknown')
    expect(() => checkPlugins({ disable: ['RoleEscalation'] })).toThrow('disable-admission-plugins plugin "RoleEscalation" is unknown')
    expect(() => checkPlugins({ enable: ['EventRateLimit'] })).toThrow('enable-admission-plugins plugin "EventRateLimit" needs a configuration')
    expect(() => checkPlugins({ enable: ['Priority', 'LimitRanger'], disable: ['Priority', 'LimitRanger'] })).toThrow('[LimitRanger Priority] in enable-admission-plugins and disable-admission-plugins overlapped')
  })
})

describe('AlwaysPullImages', () => {
  const pod = (containers: object[], volumes: object[] = []): Loose => ({ kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec: { containers, volumes } })

  it('has every image pulled, and lets no later plugin change that', async () => {
    const attributes = attributesOf(core.pods, pod([{ name: 'a', image: 'x', imagePullPolicy: 'IfNotPresent' }], [{ name: 'v', image: { reference: 'r', pullPolicy: 'Never' } }]))
    const made = await createAdmissionChain([alwaysPullImages()]).mutate(attributes)
    expect(made).toMatchObject({ spec: { containers: [{ imagePullPolicy: 'Always' }], volumes: [{ image: { pullPolicy: 'Always' } }] } })
    expect(await refusal(alwaysPullImages(), core.pods, pod([{ name: 'a', image: 'x', imagePullPolicy: 'Never' }])))
      .toBe('403 pods "p" is forbidden: spec.containers[0].imagePullPolicy: Unsupported value: "Never": supported values: "Always"')
  })

  it('leaves pods alone whose change brings no image', () => {
    const old = pod([{ name: 'a', image: 'x', imagePullPolicy: 'Never' }])
    expect(alwaysPullImages().handles(attributesOf(core.pods, old, { operation: 'UPDATE', old }))).toBe(false)
    expect(alwaysPullImages().handles(attributesOf(core.pods, pod([{ name: 'a', image: 'y' }]), { operation: 'UPDATE', old }))).toBe(true)
  })
})

it('DenyServiceExternalIPs lets services keep and lose addresses, and get none', async () => {
  const service = (...externalIPs: string[]): Loose => ({ kind: 'Service', metadata: { name: 's', namespace: 'default' }, spec: { externalIPs } })
  expect(await refusal(denyServiceExternalIPs(), core.services, service())).toBe('admitted')
  expect(await refusal(denyServiceExternalIPs(), core.services, service('192.0.2.1'))).toBe('403 services "s" is forbidden: Use of external IPs is denied by admission control')
  expect(await refusal(denyServiceExternalIPs(), core.services, service('192.0.2.1'), { operation: 'UPDATE', old: service('192.0.2.1', '192.0.2.2') })).toBe('admitted')
  expect(await refusal(denyServiceExternalIPs(), core.services, service('192.0.2.3'), { operation: 'UPDATE', old: service('192.0.2.1') })).toContain('403 ')
})

describe('OwnerReferencesPermissionEnforcement', () => {
  const index = createRbacIndex()
  index.setRole('', 'own', [{ verbs: ['create', 'update', 'delete'], apiGroups: [''], resources: ['configmaps'] }, { verbs: ['update'], apiGroups: ['apps'], resources: ['deployments/finalizers'] }])
  index.setBinding('', 'b', { metadata: { name: 'b' }, subjects: [{ kind: 'User', name: 'ana' }], roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'own' } })
  const plugin = ownerReferencesPermissionEnforcement(environment(), createAuthorizer([index]))
  const owned = (kind: string, ...owners: object[]): Loose => ({ kind, metadata: { name: 'x', namespace: 'default', ownerReferences: owners } as never })
  const owner = (kind: string, blockOwnerDeletion: boolean) => ({ apiVersion: apps.deployments.apiVersion, kind, name: 'd', uid: 'u', blockOwnerDeletion })

  it('lets nobody set owners of what they may not delete', async () => {
    expect(await refusal(plugin, core.configmaps, owned('ConfigMap', owner('Deployment', false)))).toBe('admitted')
    expect(await refusal(plugin, core.secrets, owned('Secret', owner('Deployment', false)))).toBe('admitted')
    expect(await refusal(plugin, core.configmaps, owned('ConfigMap', owner('Deployment', false)), { operation: 'UPDATE', old: owned('ConfigMap') })).toBe('admitted')
    expect(await refusal(plugin, core.secrets, owned('Secret', owner('Deployment', false)), { operation: 'UPDATE', old: owned('Secret') })).toContain('403 secrets "x" is forbidden: cannot set an ownerRef on a resource you can\'t delete: ')
    expect(plugin.handles(attributesOf(core.secrets, owned('Secret')))).toBe(false)
  })

  it('lets nobody make an owner wait whose finalizers they may not set', async () => {
    expect(await refusal(plugin, core.configmaps, owned('ConfigMap', owner('Deployment', true)))).toBe('admitted')
    expect(await refusal(plugin, core.configmaps, owned('ConfigMap', owner('StatefulSet', true)))).toContain('cannot set blockOwnerDeletion if an ownerReference refers to a resource you can\'t set finalizers on')
    expect(await refusal(plugin, core.configmaps, owned('ConfigMap', owner('StatefulSet', true)), { operation: 'UPDATE', old: owned('ConfigMap', owner('StatefulSet', true), { uid: 'other' }) })).toBe('admitted')
  })
})

it('AlwaysDeny refuses everything', async () => {
  const chain = createAdmissionChain([alwaysDeny()])
  const map = { kind: 'ConfigMap', metadata: { name: 'm', namespace: 'default' } }
  for (const operation of ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const) {
    expect(() => chain.mutate(attributesOf(core.configmaps, operation === 'DELETE' ? undefined : map, { operation, old: map })), operation).toThrow('configmaps "m" is forbidden: admission control is denying all modifications')
  }
})
