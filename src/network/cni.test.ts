import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { removeCni, writeConflist } from './cni.ts'
import { namesOf } from './names.ts'

let directory: string
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'skiff-cni-')) })
afterEach(() => rmSync(directory, { recursive: true }))

describe('the CNI configuration', () => {
  const options = (podCidrs = ['10.244.3.0/24']) => ({ names: namesOf('a'), podCidrs, confDir: join(directory, 'conf'), leaseDir: join(directory, 'leases') })
  const read = () => JSON.parse(readFileSync(join(directory, 'conf/10-skiff.conflist'), 'utf8')) as { name: string; plugins: { ipam: { ranges: unknown; routes: unknown; dataDir: string } }[] }

  it('gives pods addresses of the node and a default route, without a trace in iptables', async () => {
    await writeConflist(options())
    expect(read()).toMatchObject({ name: 'skiff-a', plugins: [{ type: 'ptp', ipMasq: false, ipam: { type: 'host-local', ranges: [[{ subnet: '10.244.3.0/24' }]], routes: [{ dst: '0.0.0.0/0' }], dataDir: join(directory, 'leases') } }] })
    await writeConflist(options(['10.244.3.0/24', 'fd00:3::/64']))
    expect(read().plugins[0]?.ipam).toMatchObject({ ranges: [[{ subnet: '10.244.3.0/24' }], [{ subnet: 'fd00:3::/64' }]], routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }] })
  })

  it('is not written again when it is the same, so that the runtime does not reload', async () => {
    await writeConflist(options())
    const before = statSync(join(directory, 'conf/10-skiff.conflist')).ino
    await writeConflist(options())
    expect(statSync(join(directory, 'conf/10-skiff.conflist')).ino).toBe(before)
  })

  it('goes with its leases and leaves the files of others', async () => {
    await writeConflist(options())
    await removeCni(namesOf('a'), join(directory, 'conf'), join(directory, 'leases'))
    expect(readdirSync(directory)).toEqual(['conf'])
    expect(readdirSync(join(directory, 'conf'))).toEqual([])
  })
})

describe('names', () => {
  it('fit an interface however long the cluster is called, and differ', () => {
    const [a, b] = [namesOf('a-very-long-name-of-a-cluster-1'), namesOf('a-very-long-name-of-a-cluster-2')]
    expect(namesOf('dev').device).toBe('skiff-dev')
    expect(a.device).toHaveLength(13)
    expect(a.device).not.toBe(b.device)
  })
})
