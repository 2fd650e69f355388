import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { strategyFor } from '../strategies.ts'
import { keyPairProblem } from './key-pair.ts'
import { selfSigned } from '../../testing/self-signed.ts'
import { complete, createErrors, created, environment, row, statusErrors, updateErrors } from '../testing.ts'

const meta = { metadata: { name: 'a', namespace: 'default' } }
const encoded = (text: string) => Buffer.from(text).toString('base64')

describe('secrets', () => {
  it('are opaque, and keep text as data', () => {
    expect(complete(core.secrets, { ...meta, data: { a: encoded('old'), b: encoded('b') }, stringData: { a: 'new' } })).toMatchObject({ type: 'Opaque', data: { a: encoded('new'), b: encoded('b') } })
    expect(complete(core.secrets, { ...meta, stringData: { a: 'x' } })).not.toHaveProperty('stringData')
  })
  it.each<[string, object, string[]]>([
    ['key', { data: { 'a b': '' } }, ["data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"]],
    ['size', { stringData: { a: 'x'.repeat(1024 * 1024 + 1) } }, ['data: Too long: may not be more than 1048576 bytes']],
    ['tls', { type: 'kubernetes.io/tls' }, ['data[tls.crt]: Required value', 'data[tls.key]: Required value']],
    ['registry', { type: 'kubernetes.io/dockerconfigjson' }, ['data[.dockerconfigjson]: Required value']],
    ['basic', { type: 'kubernetes.io/basic-auth' }, ['data[username]: Required value', 'data[password]: Required value']],
    ['token', { type: 'kubernetes.io/service-account-token' }, ['metadata.annotations[kubernetes.io/service-account.name]: Required value']],
  ])('%s', (_, secret, errors) => {
    expect(createErrors(core.secrets, { ...meta, ...secret })).toEqual(errors)
  })
  it('cannot change once they are immutable, nor their type ever', () => {
    const current = created(core.secrets, { ...meta, immutable: true, stringData: { a: 'x' } })
    expect(updateErrors(core.secrets, { ...meta, type: 'other', stringData: { a: 'y' } }, current)).toEqual([
      'type: Invalid value: "other": field is immutable',
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ])
  })
  it('warn of a certificate and a key that do not belong together', async () => {
    const [one, other] = [await selfSigned('one'), await selfSigned('other')]
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const strategy = strategyFor(core.secrets as never, environment) as Strategy<core.Secret>
    const warned = (cert: string, key: string, type = 'kubernetes.io/tls') => strategy.warnings?.(complete(core.secrets, { ...meta, type, stringData: { 'tls.crt': cert, 'tls.key': key } }))
    expect(warned(one.cert, one.key)).toEqual([])
    expect(warned(`text\n${other.key}${one.cert}`, `${one.cert}${one.key}`)).toEqual([])
    expect(warned('', '', 'Opaque')).toEqual([])
    for (const [cert, key, problem] of [
      [one.cert, other.key, 'private key does not match public key'],
      [one.cert, rsa, 'private key type does not match public key type'],
      [one.cert, one.key.replaceAll(/^[A-Za-z0-9+/=]+$/gm, 'AAAA'), 'failed to parse private key'],
      ['x', one.key, 'failed to find any PEM data in certificate input'],
      [one.key, one.cert, 'failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'],
      [one.cert, one.cert, 'found a certificate rather than a key in the PEM for the private key'],
      [one.cert, 'x', 'failed to find any PEM data in key input'],
    ] as const) expect(warned(cert, key)).toEqual([`tls: ${problem}`])
  })
  it('are read once, however many blocks begin in them', () => {
    const started = performance.now()
    expect(keyPairProblem('-----BEGIN A-----\n'.repeat(50_000), '')).toBe('tls: failed to find any PEM data in certificate input')
    expect(performance.now() - started).toBeLessThan(2000)
  })
  it('show their type and size', () => {
    expect(row(core.secrets, complete(core.secrets, { ...meta, stringData: { a: 'x' } }))).toMatchObject({ Type: 'Opaque', Data: 1 })
  })
})

describe('service accounts', () => {
  it('warn of the annotation that is going away, when it comes', () => {
    const strategy = strategyFor(core.serviceaccounts as never, environment) as Strategy<core.ServiceAccount>
    const plain = created(core.serviceaccounts, meta)
    const annotated = created(core.serviceaccounts, { metadata: { ...meta.metadata, annotations: { 'kubernetes.io/enforce-mountable-secrets': 'false' } } })
    const warning = 'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets'
    expect([strategy.warnings?.(plain), strategy.warnings?.(annotated), strategy.warnings?.(annotated, plain), strategy.warnings?.(annotated, annotated)]).toEqual([[], [warning], [warning], []])
  })
})

describe('config maps', () => {
  it('refuse a key that is text and bytes', () => {
    expect(createErrors(core.configmaps, { ...meta, data: { a: '' }, binaryData: { a: '' } })).toEqual(['data[a]: Invalid value: "a": duplicate of key present in binaryData'])
  })
  it('refuse more than a mebibyte', () => {
    expect(createErrors(core.configmaps, { ...meta, data: { a: 'x'.repeat(1024 * 1024), b: 'y' } })).toEqual(['[]: Too long: may not be more than 1048576 bytes'])
  })
  it('cannot change once they are immutable', () => {
    const current = created(core.configmaps, { ...meta, immutable: true, data: { a: 'x' } })
    expect(updateErrors(core.configmaps, { ...meta, immutable: true, data: { a: 'y' } }, current)).toEqual(['data: Forbidden: field is immutable when `immutable` is set'])
    expect(updateErrors(core.configmaps, { ...meta, immutable: true, data: { a: 'x' } }, current)).toEqual([])
  })
})

describe('namespaces', () => {
  it('are active, held by a finalizer and labelled with their name', () => {
    expect(created(core.namespaces, { metadata: { name: 'a' } })).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'a' } }, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' },
    })
  })
})

describe('the status of a namespace', () => {
  it('says Terminating exactly when the namespace was deleted', () => {
    const strategy = strategyFor(core.namespaces as never, environment) as Strategy<core.Namespace>
    const namespace = created(core.namespaces, { metadata: { name: 'a' } })
    const errors = (n: core.Namespace) => statusErrors(strategy, n, namespace)
    expect(errors(namespace)).toEqual([])
    expect(errors({ ...namespace, status: { phase: 'Terminating' } })).toEqual(['status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty'])
  })
})

describe('nodes', () => {
  const node = (more: object) => ({ metadata: { name: 'n', labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' } }, ...more })
  it('are born with the status their kubelet gives them', () => {
    expect(created(core.nodes, node({ status: { capacity: { cpu: '2' } } })).status).toMatchObject({ capacity: { cpu: '2' }, allocatable: { cpu: '2' } })
  })
  it('keep their addresses for pods', () => {
    const current = created(core.nodes, node({ spec: { podCIDR: '10.0.0.0/24' } }))
    expect(current.spec.podCIDRs).toEqual(['10.0.0.0/24'])
    expect(updateErrors(core.nodes, node({ spec: { podCIDR: '10.0.1.0/24' } }), current)).toEqual([
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid', '[]: Forbidden: node updates may only change labels, taints, or capacity',
    ])
  })
  it('show whether they are ready and what they are for', () => {
    const status = { conditions: [{ type: 'Ready', status: 'True' }], addresses: [{ type: 'InternalIP', address: '10.1.1.1' }], nodeInfo: { kubeletVersion: 'v1.36.0' } }
    expect(row(core.nodes, complete(core.nodes, node({ spec: { unschedulable: true }, status })))).toMatchObject({
      Status: 'Ready,SchedulingDisabled', Roles: 'control-plane,worker', Version: 'v1.36.0', 'Internal-IP': '10.1.1.1', 'External-IP': '<none>', 'OS-Image': '<unknown>',
    })
  })
  it('refuse a taint of no known effect', () => {
    expect(createErrors(core.nodes, node({ spec: { taints: [{ key: 'a', effect: 'X' }] } }))).toEqual(['metadata.taints[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'])
  })
})

describe('events', () => {
  it('show what happened to whom', () => {
    const event = complete(core.events, {
      metadata: { name: 'e', namespace: 'default' }, involvedObject: { kind: 'Pod', name: 'web', fieldPath: 'spec.containers{a}' }, type: 'Normal', reason: 'Pulled', message: 'ok\n',
      source: { component: 'kubelet', host: 'n1' }, firstTimestamp: '2026-01-01T11:00:00Z', lastTimestamp: '2026-01-01T11:59:00Z', count: 3,
    })
    expect(row(core.events, event)).toEqual({
      'Last Seen': '60s', Type: 'Normal', Reason: 'Pulled', Object: 'pod/web', Subobject: 'spec.containers{a}', Source: 'kubelet, n1', Message: 'ok', 'First Seen': '60m', Count: 3, Name: 'e',
    })
  })
})
