/** A control plane on disk, to be killed: arguments are its directory and its port. Says `ready` once it answers; its kubeconfig is in the directory. */
import { writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { encrypted } from '../../src/cluster/encryption.ts'
import { startControlPlane } from '../../src/cluster/control-plane.ts'
import { kubeconfigOf } from '../../src/cluster/kubeconfig.ts'
import { ensurePki } from '../../src/cluster/pki.ts'
import type { Settings } from '../../src/cluster/settings.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { quiet } from '../../src/machinery/log.ts'
import { openLmdbStore } from '../../src/store/lmdb.ts'

const [dir = '', port = ''] = process.argv.slice(2)
const settings: Settings = {
  name: 'test', nodeName: 'node-1', nodeAddress: '127.0.0.1', port: Number(port), kubeletPort: 10250,
  clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16', clusterDns: '10.96.0.10', clusterDomain: 'cluster.local', nodePorts: [30000, 32767],
}
const pki = ensurePki(join(dir, 'pki'), settings)
const store = await openLmdbStore({ path: join(dir, 'store') })
const stored = await encrypted(store, { paths: { encryption: join(dir, 'encryption') }, given: undefined, clock: systemClock, log: quiet })
await startControlPlane({ settings, pki, store: stored.store, checks: stored.checks, clock: systemClock, log: quiet, address: '127.0.0.1' })
writeFileSync(join(dir, 'kubeconfig'), kubeconfigOf({ name: 'test', server: `https://127.0.0.1:${port}`, ca: pki.ca.cert, user: pki.admin }), { mode: 0o600 })
writeSync(1, 'ready\n')
