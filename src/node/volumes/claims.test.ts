import { describe, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { createMemoryClient } from '../../client/testing/memory-client.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { decodeObject } from '../../machinery/json.ts'
import { claimPath } from './claims.ts'

describe('the claim of an ephemeral volume', () => {
  it('is mounted only when it was made for the pod', async () => {
    const client = createMemoryClient(new FakeClock())
    const pod = decodeObject(core.Pod, { metadata: { name: 'web', namespace: 'default', uid: 'u1' }, spec: { containers: [] } }).object
    await client.create(core.persistentvolumeclaims, { metadata: { name: 'web-data', namespace: 'default', uid: 'c1' }, spec: { volumeName: 'disk' }, status: { phase: 'Bound' } } as never)
    const uid = client.stored(core.persistentvolumeclaims).get('default/web-data')?.metadata.uid
    await client.create(core.persistentvolumes, { metadata: { name: 'disk' }, spec: { hostPath: { path: '/tmp' }, claimRef: { uid } } } as never)
    expect(await claimPath(client, pod, 'web-data')).toBe('/tmp')
    await expect(claimPath(client, pod, 'web-data', true)).rejects.toThrow('PVC default/web-data was not created for pod default/web (pod is not owner)')
    client.edit(core.persistentvolumeclaims, 'default/web-data', (c) => ({ ...c, metadata: { ...c.metadata, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'u1', controller: true }] } }))
    expect(await claimPath(client, pod, 'web-data', true)).toBe('/tmp')
  })
})
