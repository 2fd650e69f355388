/** Client certificates that must open nothing: of another authority, over, not yet, made for servers, naming nobody. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KeyPair } from '../../../src/cluster/certificate.ts'
import { attempt, attemptH2, issue, ownAuthority, type CertificateOptions } from '../../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'

let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())

const masters: CertificateOptions = { name: 'eve', groups: ['system:masters'] }
const nodes = '/api/v1/nodes'
/** 0: the connection itself was refused. */
const outcomes = async (cert: KeyPair): Promise<readonly number[]> => [(await attempt(cluster, nodes, { cert })).code, (await attemptH2(cluster, nodes, {}, cert)).code]

describe('a certificate', () => {
  it('of the cluster\'s authority opens what its groups may do', async () => {
    expect(await outcomes(await issue(cluster.pki.ca, masters))).toEqual([200, 200])
  })

  it('of another authority opens nothing, whatever that authority is called', async () => {
    for (const name of ['evil', 'skiff-ca']) {
      for (const code of await outcomes(await issue(await ownAuthority(name), masters))) expect([0, 401]).toContain(code)
    }
  })

  it('made by a certificate that is no authority opens nothing', async () => {
    const leaf = await issue(cluster.pki.ca, { name: 'ana' })
    const child = await issue(leaf, masters)
    for (const code of await outcomes({ cert: `${child.cert}\n${leaf.cert}`, key: child.key })) expect([0, 401]).toContain(code)
  })

  it('that has run out, or does not hold yet, opens nothing', async () => {
    for (const code of await outcomes(await issue(cluster.pki.ca, { ...masters, from: -7_200_000, until: -3_600_000 }))) expect([0, 401]).toContain(code)
    for (const code of await outcomes(await issue(cluster.pki.ca, { ...masters, from: 3_600_000, until: 7_200_000 }))) expect([0, 401]).toContain(code)
  })

  it('that is for servers only opens nothing', async () => {
    for (const code of await outcomes(await issue(cluster.pki.ca, { ...masters, usages: ['server'] }))) expect([0, 401]).toContain(code)
  })

  it('of the authority of front proxies opens nothing', async () => {
    for (const code of await outcomes(await issue(cluster.pki.frontProxyCa, masters))) expect([0, 401]).toContain(code)
  })

  it('that names nobody is nobody', async () => {
    for (const code of await outcomes(await issue(cluster.pki.ca, { name: '', groups: ['system:masters'] }))) expect(code).toBe(403)
  })

  it('that does not hold takes nothing from a token that does', async () => {
    await cluster.kubectl('create', 'serviceaccount', 'app')
    const token = (await cluster.kubectl('create', 'token', 'app')).trim()
    const foreign = await issue(await ownAuthority('evil'), masters)
    expect([0, 200]).toContain((await attempt(cluster, '/api', { cert: foreign, token })).code)
    expect([0, 403]).toContain((await attempt(cluster, nodes, { cert: foreign, token })).code)
  })
})
