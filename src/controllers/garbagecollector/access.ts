/** Reads and writes of one object by what the graph knows of it; that it is gone is never an error. */
import type { JsonObject } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/index.ts'
import { isNotFound } from '../../machinery/errors.ts'
import type { Node } from './graph.ts'

export function createAccess({ client, forget }: { readonly client: Client; readonly forget: (uid: string) => void }) {
  const inNamespace = (node: Node) => (node.namespace ? { namespace: node.namespace } : {})

  /** The object as the server has it; undefined when it is gone, also when another has its name. */
  async function read(node: Node): Promise<ApiObject | undefined> {
    try {
      const object = (await client.get(node.resource, node.name, inNamespace(node))) as ApiObject
      return object.metadata.uid === node.uid ? object : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async function patch(node: Node, metadata: JsonObject): Promise<void> {
    try {
      await client.patch(node.resource, node.name, { type: 'merge', body: { metadata } }, inNamespace(node))
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  async function dropFinalizer(node: Node, finalizer: string): Promise<void> {
    const live = await read(node)
    if (!live) return forget(node.uid)
    const finalizers = live.metadata.finalizers ?? []
    if (!finalizers.includes(finalizer)) return
    const rest = finalizers.filter((f) => f !== finalizer)
    await patch(node, { resourceVersion: live.metadata.resourceVersion ?? '', finalizers: rest.length > 0 ? rest : null })
  }

  return { read, patch, dropFinalizer }
}
