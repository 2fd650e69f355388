/** Since when it is noted which tokens in secrets are used: what their cleaner must know before it takes one for unused. */
import { core } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { ensure } from './ensure.ts'

const name = 'kube-apiserver-legacy-service-account-token-tracking'
const namespace = 'kube-system'

/** Makes the ConfigMap that says so, and mends one that says no date. `now` in milliseconds. */
export async function ensureTokenTracking(client: Client, now: number): Promise<void> {
  const since = rfc3339(now).slice(0, 10)
  await ensure(client, core.configmaps, { name, namespace }, { metadata: { name, namespace }, data: { since } }, (current) =>
    (isDate(current.data?.['since']) ? current : { ...current, data: { ...current.data, since } }))
}

const isDate = (text: string | undefined): boolean => text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))
