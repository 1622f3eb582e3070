// The benchmark's baseline: the shape of a hand-written webhook channel, on Bun and the official
// MCP SDK. Every POST becomes one channel event. It verifies, stores and filters nothing.
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'

const port = Number(process.env.PORT ?? '8788')

const channel = new Server(
  { name: 'webhook', version: '0.1.0' },
  {
    capabilities: { experimental: { 'claude/channel': {} } },
    instructions: 'Webhook events arrive as <channel source="webhook" path="…" method="…">. One way: read and act.',
  },
)

await channel.connect(new StdioServerTransport())

Bun.serve({
  hostname: '127.0.0.1',
  port,
  async fetch(request) {
    const content = await request.text()
    const path = new URL(request.url).pathname
    await channel.notification({
      method: 'notifications/claude/channel',
      params: { content, meta: { path, method: request.method } },
    })
    return new Response('ok')
  },
})
