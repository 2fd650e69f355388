/** What becomes of requests by the labels of their namespace: whom nobody looks at, what is noted and counted, and what a change of labels says. */
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { apps, core } from '../../../api/index.ts'
import { isApiError } from '../../../machinery/errors.ts'
import { attributesOf, environment, type Loose, type TestEnvironment, type Wanted } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { createAdmissionMetrics } from '../metrics.ts'
import { podSecurity } from '../plugins/pod-security.ts'
import { openPodSecurity, type PodSecurityOptions } from './configuration.ts'
import { unlabelled } from './levels.ts'

type Labels = Readonly<Record<string, string>>
const prefix = 'pod-security.kubernetes.io'
const labels = (all: Labels): Labels => Object.fromEntries(Object.entries(all).map(([key, value]) => [`${prefix}/${key}`, value]))
const namespace = (all: Labels, more: Labels = {}): Loose => ({ kind: 'Namespace', metadata: { name: 'x', labels: { ...labels(all), ...more } } as never })
const named = (name: string, spec: object = {}, metadata: object = {}): Loose => ({ kind: 'Pod', metadata: { name, namespace: 'x', ...metadata } as never, spec: { containers: [{ name: 'a', image: 'i' }], ...spec } })
const onHost = (name: string, metadata: object = {}): Loose => named(name, { hostPID: true }, metadata)
const exempting = (all: Partial<Record<'usernames' | 'namespaces' | 'runtimeClasses', string[]>>, defaults = unlabelled): PodSecurityOptions =>
  ({ defaults, exempt: { ...openPodSecurity.exempt, ...Object.fromEntries(Object.entries(all).map(([key, names]) => [key, new Set(names)])) } })

interface Said { readonly message: string; readonly code: number; readonly warnings: readonly string[]; readonly annotations: Labels; readonly counted: readonly string[] }

/** One request and everything that was said about it. */
async function request(env: TestEnvironment, resource: unknown, object: Loose, wanted: Wanted = {}, options: PodSecurityOptions = openPodSecurity): Promise<Said> {
  const registry = new Registry()
  const attributes = attributesOf(resource, object, { ...(wanted.old ? { operation: 'UPDATE' } : {}), ...wanted })
  const chain = createAdmissionChain([podSecurity(env, options, createAdmissionMetrics(registry))])
  const error: unknown = await (async () => chain.validate(attributes))().then(() => undefined, (e: unknown) => e)
  const counted = (await registry.metrics()).split('\n').filter((line) => line.startsWith('pod_security_') && !line.endsWith(' 0'))
  if (error !== undefined && !isApiError(error)) throw error
  return { message: error?.message ?? '', code: error?.code ?? 0, warnings: attributes.warnings, annotations: attributes.annotations, counted }
}
const relabel = async (from: Labels, to: Labels, pods: readonly Loose[], options?: PodSecurityOptions) => (await request(environment(...pods), core.namespaces, namespace(to), { old: namespace(from) }, options)).warnings

describe('a namespace that is not there', () => {
  it('takes no pods: nobody knows what it asks for', async () => {
    const { code, message, annotations, counted } = await request(environment(), core.pods, named('p'))
    expect([code, message]).toEqual([500, 'Internal error occurred: failed to lookup namespace "x"'])
    expect(annotations[`${prefix}/error`]).toBe('Internal error occurred: failed to lookup namespace "x": namespaces "x" not found')
    expect(counted).toEqual(['pod_security_errors_total{fatal="true",request_operation="create",resource="pod",subresource=""} 1'])
  })

  it('takes what makes pods, and says so to audit', async () => {
    const { code, annotations } = await request(environment(), apps.deployments, { kind: 'Deployment', metadata: { name: 'd', namespace: 'x' }, spec: { template: {} } })
    expect([code, annotations]).toEqual([0, { [`${prefix}/error`]: 'failed to lookup namespace "x": namespaces "x" not found' }])
  })
})

describe('who is let pass', () => {
  it('is noted before anybody looks whether something changed', async () => {
    const { annotations, counted } = await request(environment(namespace({})), core.pods, named('p'), { old: named('p') }, exempting({ usernames: ['ana'] }))
    expect(annotations).toEqual({ [`${prefix}/exempt`]: 'user' })
    expect(counted).toEqual(['pod_security_exemptions_total{request_operation="update",resource="pod",subresource=""} 1'])
  })

  it('is not noted for a runtime class where nothing is asked of pods', async () => {
    const kata = exempting({ runtimeClasses: ['kata'] })
    expect((await request(environment(namespace({})), core.pods, named('p', { runtimeClassName: 'kata' }), {}, kata)).annotations).toEqual({ [`${prefix}/enforce-policy`]: 'privileged:latest' })
    expect((await request(environment(namespace({ audit: 'baseline' })), core.pods, named('p', { runtimeClassName: 'kata' }), {}, kata)).annotations).toEqual({ [`${prefix}/exempt`]: 'runtimeClass' })
  })

  it('hears that the labels of its namespace mean nothing', async () => {
    const options = exempting({ namespaces: ['x'] }, { ...unlabelled, audit: { level: 'baseline', version: 'latest' } })
    const ignored = (policy: string) => [`namespace "x" is exempt from Pod Security, and the policy (${policy}) will be ignored`]
    const created = async (to: Labels) => (await request(environment(), core.namespaces, namespace(to), {}, options)).warnings
    expect(await created({ enforce: 'baseline', warn: 'restricted' })).toEqual(ignored('enforce=baseline:latest, warn=restricted:latest'))
    expect(await relabel({}, { 'enforce': 'baseline', 'enforce-version': 'v1.30' }, [onHost('p')], options)).toEqual(ignored('enforce=baseline:v1.30'))
    expect(await created({ enforce: 'privileged' })).toEqual([])
    expect(await relabel({ enforce: 'restricted' }, { enforce: 'baseline' }, [onHost('p')], options)).toEqual([])
  })
})

describe('labels', () => {
  const changed = async (from: Loose, to: Loose) => (await request(environment(), core.namespaces, to, { old: from })).message

  it('that are wrong may stay while other things change, and are not made wrong another way', async () => {
    expect(await changed(namespace({ enforce: 'odd' }), namespace({ enforce: 'odd' }, { team: 'a' }))).toBe('')
    expect(await changed(namespace({ enforce: 'odd' }), namespace({ enforce: 'odder' }))).toBe('Namespace "x" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "odder": must be one of privileged, baseline, restricted')
    expect(await changed(namespace({}), namespace({ 'warn-version': '1.30' }))).toContain('Invalid value: "1.30": must be "latest" or "v1.x"')
  })

  it.each(['v1.01', 'v1.', 'v1.-1', 'v2.0', '', 'v1.9223372036854775808'])('do not say the version %j', async (version) => {
    expect(await changed(namespace({}), namespace({ 'enforce-version': version }))).toContain('must be "latest" or "v1.x"')
  })

  it('may say versions that are still to come', async () => {
    for (const version of ['v1.0', 'v1.36', 'v1.10000', 'v1.9223372036854775807']) expect(await changed(namespace({}), namespace({ 'enforce-version': version }))).toBe('')
  })

  it('that cannot be read are told to audit with what is done instead', async () => {
    const { code, annotations, counted } = await request(environment(namespace({ enforce: 'odd', audit: 'odd' })), core.pods, named('p'))
    expect([code, annotations[`${prefix}/enforce-policy`]]).toEqual([403, 'restricted:latest'])
    expect(annotations[`${prefix}/error`]).toMatch(/^Failed to parse policy: \[metadata\.labels\[pod-security\.kubernetes\.io\/enforce\]: Invalid value: "odd": .*, metadata\.labels\[.*\/audit\]: /)
    expect(counted).toContain('pod_security_errors_total{fatal="false",request_operation="create",resource="pod",subresource=""} 1')
  })
})

describe('a namespace whose standard changes', () => {
  it('says nothing of its pods when it becomes no stricter', async () => {
    const pods = [onHost('p')]
    expect(await relabel({ enforce: 'restricted' }, { enforce: 'baseline' }, pods)).toEqual([])
    expect(await relabel({ enforce: 'baseline' }, { enforce: 'baseline', warn: 'restricted' }, pods)).toEqual([])
    expect(await relabel({ enforce: 'baseline' }, { 'enforce': 'privileged', 'enforce-version': 'v1.30' }, pods)).toEqual([])
    // Another version may know other checks.
    expect(await relabel({ enforce: 'restricted' }, { 'enforce': 'baseline', 'enforce-version': 'v1.30' }, pods)).toHaveLength(2)
  })

  it('names the first of the pods that violate the same, in order, and none of exempt runtime classes', async () => {
    const pods = [onHost('z'), onHost('c'), onHost('b'), named('a', { hostPID: true, volumes: [{ name: 'v', hostPath: { path: '/' } }] }), named('free', { hostPID: true, runtimeClassName: 'kata' }), named('good')]
    expect(await relabel({}, { enforce: 'baseline' }, pods, exempting({ runtimeClasses: ['kata'] }))).toEqual([
      'existing pods in namespace "x" violate the new PodSecurity enforce level "baseline:latest"', 'a: host namespaces, hostPath volumes', 'b (and 2 other pods): host namespaces',
    ])
  })

  it('looks at 3000 pods, at one of each controller first', async () => {
    const owned = (i: number) => onHost(`p${i}`, { ownerReferences: [{ controller: true, uid: 'u' }] })
    const [heading, ...rest] = await relabel({}, { enforce: 'baseline' }, [...Array.from({ length: 3001 }, (_, i) => owned(i)), named('alone', { hostIPC: true, hostNetwork: true, volumes: [{ name: 'v', hostPath: { path: '/' } }] })])
    expect(heading).toBe('new PodSecurity enforce level only checked against the first 3000 of 3002 existing pods')
    expect(rest.slice(1)).toEqual(['alone: host namespaces, hostPath volumes', 'p0 (and 2998 other pods): host namespaces'])
  })

  it.each([[undefined, 4], [1_000, 2]])('looks for a second, or half as long as the client waits (%s ms)', async (wait, looked) => {
    const env = environment(...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => onHost(name)))
    const begun = env.clock.now()
    let asked = 0
    // Each look takes 250 ms.
    const clock = { ...env.clock, now: () => begun + 250 * asked++ }
    const attributes = attributesOf(core.namespaces, namespace({ enforce: 'baseline' }), { operation: 'UPDATE', old: namespace({}) })
    const caller = wait === undefined ? {} : { caller: { gone: undefined, deadline: begun + wait } }
    podSecurity({ ...env, clock: clock as typeof env.clock }).validate?.({ ...attributes, context: { ...attributes.context, ...caller } })
    expect(attributes.warnings[0]).toBe(`new PodSecurity enforce level only checked against the first ${looked} of 6 existing pods`)
  })
})

it('counts what was held against a standard, and how it came out', async () => {
  const asked = { 'enforce': 'privileged', 'audit': 'baseline', 'audit-version': 'v1.99', 'warn': 'restricted', 'warn-version': 'v1.30' }
  const about = 'request_operation="create",resource="pod",subresource=""'
  expect((await request(environment(namespace(asked)), core.pods, onHost('p'))).counted).toEqual([
    `pod_security_evaluations_total{decision="allow",policy_level="privileged",policy_version="latest",mode="enforce",${about}} 1`,
    `pod_security_evaluations_total{decision="deny",policy_level="baseline",policy_version="future",mode="audit",${about}} 1`,
    `pod_security_evaluations_total{decision="deny",policy_level="restricted",policy_version="v1.30",mode="warn",${about}} 1`,
  ])
  const refused = await request(environment(namespace({ enforce: 'baseline', audit: 'baseline' })), core.pods, onHost('p'))
  expect(refused.counted.map((line) => line.slice(0, line.indexOf('policy_version')))).toEqual(['pod_security_evaluations_total{decision="deny",policy_level="baseline",', 'pod_security_evaluations_total{decision="deny",policy_level="baseline",'])
  const deployment: Loose = { kind: 'Deployment', metadata: { name: 'd', namespace: 'x' }, spec: { template: { metadata: {}, spec: onHost('p')['spec'] } } }
  expect((await request(environment(namespace({ enforce: 'baseline' })), apps.deployments, deployment)).counted).toEqual(['pod_security_evaluations_total{decision="deny",policy_level="baseline",policy_version="latest",mode="warn",request_operation="create",resource="controller",subresource=""} 1'])
})

it('looks at subresources of pods unless it knows that they are harmless', async () => {
  const sent = async (subresource: string) => (await request(environment(namespace({ enforce: 'baseline' })), core.pods, named('p', { hostPID: true, containers: [{ name: 'a', image: 'new' }] }), { old: named('p'), subresource })).code
  expect(await Promise.all(['ephemeralcontainers', 'resize', 'unheard-of', 'status', 'eviction', 'binding'].map(sent))).toEqual([403, 403, 403, 0, 0, 0])
})
