import type { SwaggerTransform } from '@fastify/swagger';
import type { TSchema } from 'typebox';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Schema of the JSON part of the multipart form that the route also reads. */
    readonly multipartRequest?: TSchema;
  }
}

/**
 * Adds the multipart form to the description of the routes that read one. Their bodies are streams that the framework
 * does not validate, so the form is no part of the schema that it checks.
 */
export const describeMultipart: SwaggerTransform = ({ schema, url, route }) => {
  const part = route.config?.multipartRequest;
  const body = schema?.body as { content?: Record<string, unknown> } | undefined;
  if (part === undefined || body?.content === undefined) return { schema, url };
  const form = {
    title: `${(part as { title?: string }).title}Data`,
    type: 'object',
    additionalProperties: false,
    required: ['request', 'image'],
    properties: {
      request: part,
      image: {
        type: 'array',
        minItems: 1,
        description: "PNG, JPEG or WebP files; each file's name is its input's id",
        // OpenAPI 3.1 says it by the media type; client generators still look for the format of 3.0.
        items: { type: 'string', format: 'binary', contentMediaType: 'application/octet-stream' },
      },
    },
  };
  const encoding = {
    request: { contentType: 'application/json' },
    image: { contentType: 'image/png, image/jpeg, image/webp' },
  };
  const content = { ...body.content, 'multipart/form-data': { schema: form, encoding } };
  return { schema: { ...schema, body: { content } }, url };
};
