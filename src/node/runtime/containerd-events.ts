/** containerd's own event stream: it has had one long before CRI did, so an exit is known at once with every version. */
import { codec, grpcClient, messageTypes, type Descriptor } from './grpc.ts'

const descriptor: Descriptor = {
  package: 'containerd',
  enums: {},
  messages: {
    SubscribeRequest: 'filters=1 repeated string',
    Envelope: 'namespace=2 string, topic=3 string, event=4 Any',
    Any: 'type_url=1 string, value=2 bytes',
    TaskExit: 'container_id=1 string, id=2 string, exit_status=4 uint32',
  },
}

/** The ids of containers and sandboxes whose first process ended, as containerd sees it: CRI's view follows within milliseconds. */
export async function* taskExits(socket: string, signal: AbortSignal, namespace = 'k8s.io'): AsyncIterable<string> {
  const client = grpcClient(socket, descriptor)
  const taskExit = codec(messageTypes(descriptor)('TaskExit'))
  const filters = [`namespace==${namespace},topic=="/tasks/exit"`]
  try {
    for await (const envelope of client.stream('/containerd.services.events.v1.Events/Subscribe', 'SubscribeRequest', 'Envelope', { filters }, signal)) {
      const event = envelope['event'] as { readonly value: Uint8Array } | null
      if (!event) continue
      const exit = taskExit.decode(event.value)
      if (exit['id'] === exit['container_id']) yield exit['container_id'] as string
    }
  } finally {
    client.close()
  }
}

