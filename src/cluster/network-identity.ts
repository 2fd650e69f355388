/** The identity of the network on a node elsewhere: the account kube-proxy, by tokens that the node requests and that become invalid with its Node. */
import { core, type authentication } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import type { Clock } from '../machinery/clock.ts'
import { isNotFound } from '../machinery/errors.ts'

const account = { name: 'kube-proxy', namespace: 'kube-system' }
const seconds = 3600
/** A node that was removed and came back is another Node: its old token died with the old one, so tokens are not cached for long. */
const keptFor = 60_000
const retryEvery = 500

/** Returns a function for the current token; waits until the node has registered. `client` is the node's own. */
export function networkToken(client: Client, nodeName: string, clock: Clock, signal: AbortSignal): () => Promise<string> {
  let known: { readonly token: string; readonly at: number } | undefined
  let asking: Promise<string> | undefined

  async function ask(): Promise<string> {
    const { metadata } = await registered()
    const boundObjectRef = { kind: 'Node', apiVersion: 'v1', name: nodeName, uid: metadata.uid ?? '' }
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: [], expirationSeconds: seconds, boundObjectRef } }
    const { status } = await client.createSubresource<object, authentication.TokenRequest>(core.serviceaccounts, account.name, 'token', request, { namespace: account.namespace })
    known = { token: status.token, at: clock.now() }
    return status.token
  }
  async function registered(): Promise<core.Node> {
    for (;;) {
      const node = await client.get(core.nodes, nodeName, { signal }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined
        throw error
      })
      if (node) return node
      await clock.sleep(retryEvery, signal)
    }
  }
  return () => {
    if (known && clock.now() - known.at < keptFor) return Promise.resolve(known.token)
    asking ??= ask().finally(() => (asking = undefined))
    return asking
  }
}
