import { describe, expect, it } from 'vitest'
import type { meta } from '../api/index.ts'
import { found } from './field.ts'
import { annotationsSize, cidr, configMapKey, dns1035Label, dns1123Label, dns1123Subdomain, envVarName, inCIDR, ipAddress, labelValue, pathSegmentName, portName, qualifiedName, validateObjectMeta, validateObjectMetaUpdate, wildcardDNS1123Subdomain } from './names.ts'

describe('names', () => {
  it.each([
    ['dns1123Label', dns1123Label, ['a', 'a-1', '1'], ['', 'A', '-a', 'a-', 'a.b', 'a'.repeat(64), 'a\n']],
    ['dns1123Subdomain', dns1123Subdomain, ['a', 'a.b', '1.a'], ['', 'a..b', '.a', 'a.', 'a_b', 'a'.repeat(254)]],
    ['dns1035Label', dns1035Label, ['a', 'a-1'], ['1a', '', 'A']],
    ['labelValue', labelValue, ['', 'A', 'a.b_c-1'], ['-a', 'a-', 'a/b', 'ä', 'a'.repeat(64)]],
    ['qualifiedName', qualifiedName, ['a', 'A.b_c', 'example.com/a'], ['', '/a', 'a/', 'a/b/c', 'Example.com/a', '-a', 'a'.repeat(64)]],
    ['portName', portName, ['http', 'a-1'], ['', '80', 'HTTP', '-a', 'a-', 'a--b', 'a'.repeat(16)]],
    ['ipAddress', ipAddress, ['10.0.0.1', '::1', 'fe80::1'], ['', '010.0.0.1', '1.2.3', 'fe80::1%eth0', '10.0.0.1/8']],
    ['cidr', cidr, ['10.0.0.0/8', '::/0', '10.0.0.1/32'], ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', '/8', 'x/8', '10.0.0.0/']],
    ['configMapKey', configMapKey, ['a', '.a', 'A_b-c'], ['', '.', '..', '..a', 'a/b', 'a'.repeat(254)]],
    ['envVarName', envVarName, ['A', 'a b', '1'], ['', 'a=b', 'ä', 'a\n']],
    ['wildcard', wildcardDNS1123Subdomain, ['*.a.b'], ['*', 'a.*.b', '*.', '*a.b']],
    ['pathSegmentName', pathSegmentName, ['a:b', 'A'], ['.', '..', 'a/b', 'a%b']],
  ] as const)('%s', (_, rule, good, bad) => {
    for (const value of good) expect(rule(value), value).toEqual([])
    for (const value of bad) expect(rule(value), value).not.toEqual([])
  })
  it('are refused in the words of Kubernetes', () => {
    expect(dns1123Subdomain('Bad_Name')).toEqual([
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ])
    expect(labelValue('a b')[0]).toContain("(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')")
  })
  it('know which addresses lie in a block', () => {
    expect([inCIDR('10.1.0.0/16', '10.1.2.3'), inCIDR('10.1.0.0/16', '10.2.0.1'), inCIDR('fd00::/8', 'fd00::1'), inCIDR('10.0.0.0/8', '::1'), inCIDR('x', '10.0.0.1')])
      .toEqual([true, false, true, false, false])
  })
  it('bound the size of annotations', () => {
    expect([annotationsSize({ a: 'x'.repeat(256 * 1024 - 1) }), annotationsSize({ a: 'ü'.repeat(128 * 1024) }).length]).toEqual([[], 1])
  })
})

describe('validateObjectMeta', () => {
  const errors = (meta: Partial<meta.ObjectMeta>, namespaced = true) =>
    found((at) => validateObjectMeta({ name: 'a', namespace: 'n', ...meta }, at, { namespaced, nameRule: dns1123Subdomain }), 'metadata').map(String)
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }

  it('has nothing to say of good metadata', () => {
    expect(errors({ labels: { 'a/b': 'c' }, annotations: { 'Upper.Case/a': '' }, finalizers: ['kubernetes', 'a.b/c'], ownerReferences: [{ ...owner, controller: true }, owner] })).toEqual([])
    expect(found((at) => validateObjectMeta({ name: 'a' }, at, { namespaced: false, nameRule: dns1123Subdomain }))).toEqual([])
    expect(errors({ generateName: 'a-' })).toEqual([])
  })
  it.each([
    [{ name: '' }, 'metadata.name: Required value: name or generateName is required'],
    [{ namespace: '' }, 'metadata.namespace: Required value'],
    [{ name: 'A' }, 'metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain'],
    [{ generateName: 'BA-' }, 'metadata.generateName: Invalid value: "BA-"'],
    [{ labels: { a: '-' } }, 'metadata.labels: Invalid value: "-"'],
    [{ labels: { '-': 'a' } }, 'metadata.labels: Invalid value: "-": name part'],
    [{ annotations: { a: 'x'.repeat(262_144) } }, 'metadata.annotations: Too long: may not be more than 262144 bytes'],
    [{ finalizers: ['x'] }, 'metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified'],
    [{ finalizers: ['orphan', 'foregroundDeletion'] }, 'cannot be both set'],
    [{ ownerReferences: [{ ...owner, uid: '' }] }, 'metadata.ownerReferences.uid: Invalid value: "": must not be empty'],
    [{ ownerReferences: [{ ...owner, controller: true }, { ...owner, name: 'q', controller: true }] }, 'Found "true" in references for Pod/p and Pod/q'],
    [{ managedFields: [{ operation: 'Patch' }] }, 'metadata.managedFields[0].operation: Invalid value: "Patch": must be `Apply` or `Update`'],
    [{ generation: -1 }, 'metadata.generation: Invalid value: -1: must be greater than or equal to 0'],
  ])('%j', (meta, message) => expect(errors(meta)[0]).toContain(message))
  it('wants no namespace on what is cluster-scoped', () => expect(errors({}, false)).toEqual(['metadata.namespace: Forbidden: not allowed on this type']))
  it('keeps identity and finalizers of a dying object as they were', () => {
    const old = { name: 'a', uid: '1', generation: 2, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/b'] }
    expect(found((at) => validateObjectMetaUpdate(old, old, at))).toEqual([])
    expect(found((at) => validateObjectMetaUpdate({ ...old, name: 'b', generation: 1, finalizers: ['a/b', 'c/d'] }, old, at), 'metadata').map(String)).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d"}',
      'metadata.generation: Invalid value: 1: must not be decremented',
      'metadata.name: Invalid value: "b": field is immutable',
    ])
  })
})
