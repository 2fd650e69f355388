/** The Service of cluster DNS: it has the address but no pods, since every node answers itself. */
import { core } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../../machinery/errors.ts'
import type { Logger } from '../../machinery/log.ts'

const dnsService = { namespace: 'kube-system', name: 'kube-dns' } as const

/** Whether this is the Service of cluster DNS, with the address that the node answers on. */
export const isDnsService = (service: core.Service, addresses: readonly string[]): boolean =>
  service.metadata.namespace === dnsService.namespace && service.metadata.name === dnsService.name && addresses.includes(service.spec.clusterIP ?? '')

interface ServiceOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly addresses: readonly string[]
  readonly signal: AbortSignal
}

async function createOnce({ client, addresses, signal }: ServiceOptions): Promise<void> {
  const existing = await client.get(core.services, dnsService.name, { namespace: dnsService.namespace, signal }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined
    throw error
  })
  if (existing) return
  await client.create(core.services, {
    metadata: {
      ...dnsService,
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'kube-dns' },
    },
    spec: {
      clusterIP: addresses[0],
      clusterIPs: addresses,
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 },
        { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 53 },
      ],
      ...(addresses.length > 1 ? { ipFamilyPolicy: 'PreferDualStack' } : {}),
    },
  }, { signal })
}

/** Creates the Service; retries until it exists or the signal aborts. DNS works without it: it is for people and tools that look for it. */
export async function ensureDnsService(options: ServiceOptions): Promise<void> {
  const { clock, log, signal } = options
  for (let delay = 250; !signal.aborted; delay = Math.min(30_000, delay * 2)) {
    try {
      return await createOnce(options)
    } catch (error) {
      if (isAlreadyExists(error) || signal.aborted) return
      // At the first start the namespace is being created at the same time.
      const expected = isNotFound(error) || isConflict(error) || delay < 4000
      log[expected ? 'debug' : 'warn']({ error: String(error) }, 'cannot create the Service of cluster DNS yet')
    }
    await clock.sleep(delay, signal).catch(() => {}) // aborted: the loop ends
  }
}
