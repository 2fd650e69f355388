/**
 * The config map `extension-apiserver-authentication`: what an extension API server must know to believe that a request comes
 * through this one (the front proxy's authority and headers), or from a client with a certificate of the cluster.
 */
import { core } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { ensure } from './ensure.ts'

export interface ExtensionAuthentication {
  /** PEM: who signs the certificates of clients. */
  readonly clientCa: string
  /** PEM: who signs the front proxy's certificate. */
  readonly frontProxyCa: string
  /** The common names that a front proxy's certificate may carry. */
  readonly frontProxyNames: readonly string[]
}

const key = { name: 'extension-apiserver-authentication', namespace: 'kube-system' }

/** Creates it, or puts its keys right; keys that others added stay. */
export async function ensureExtensionAuthentication(client: Client, { clientCa, frontProxyCa, frontProxyNames }: ExtensionAuthentication): Promise<void> {
  const data = {
    'client-ca-file': clientCa,
    'requestheader-allowed-names': JSON.stringify(frontProxyNames),
    'requestheader-client-ca-file': frontProxyCa,
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-username-headers': '["X-Remote-User"]',
  }
  await ensure(client, core.configmaps, key, { metadata: key, data }, (current) =>
    (Object.entries(data).every(([name, value]) => current.data?.[name] === value) ? current : { ...current, data: { ...current.data, ...data } }))
}
