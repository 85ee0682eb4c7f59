import { describe, expect, test } from 'vitest';
import { canonicalProvider } from '../../src/events/provider-name.ts';

describe('a provider that a framework names by a package or a class', () => {
  test.each<[name: string, written: readonly string[]]>([
    [
      'openai',
      [
        ...['langchain_openai', 'ChatOpenAI', 'OpenAIEmbeddings', 'langchain.chat_models.openai'],
        ...['langchain_openai.chat_models.base.ChatOpenAI', 'OpenAIResponses', 'AsyncOpenAI'],
        ...['llama_index.llms.openai', 'llama-index-llms-openai', 'OpenAIMultiModal'],
        ...['OpenAIChatGenerator', 'OpenAITextEmbedder', 'OpenAIDocumentEmbedder'],
        ...['OpenAIChatCompletion', 'semantic_kernel.connectors.ai.open_ai', 'OpenAI Chat'],
        ...['openai.realtime'],
      ],
    ],
    [
      'azure.ai.openai',
      ['AzureChatOpenAI', 'AzureOpenAIEmbeddings', 'AzureChatCompletion', 'AzureOpenAIGenerator'],
    ],
    [
      'azure.ai.inference',
      [
        ...['AzureAIChatCompletionsModel', 'AzureAIInferenceChatCompletion', 'az.ai.agents'],
        ...['azure.ai.agents', 'microsoft.foundry', 'microsoft.agents'],
      ],
    ],
    ['anthropic', ['langchain_anthropic', 'ChatAnthropic', 'AnthropicLLM', 'AnthropicGenerator']],
    [
      'aws.bedrock',
      [
        ...['langchain_aws', 'ChatBedrock', 'ChatBedrockConverse', 'BedrockChat', 'BedrockLLM'],
        ...['amazon_bedrock', 'BedrockConverse', 'AmazonBedrockChatGenerator', 'AnthropicBedrock'],
        ...['bedrock/converse'],
      ],
    ],
    [
      'gcp.gemini',
      [
        ...['GoogleAIGemini', 'GoogleAIGeminiChatGenerator', 'GoogleGenAIChatGenerator'],
        ...['ChatGoogleGenerativeAI', 'langchain_google_genai', 'GoogleAIChatCompletion'],
        ...['GoogleGenAI', 'llama_index.llms.gemini'],
      ],
    ],
    [
      'gcp.vertex_ai',
      [
        ...['google_vertexai', 'langchain_google_vertexai', 'ChatVertexAI', 'VertexAIGemini'],
        ...['VertexAIGeminiChatGenerator', 'ChatAnthropicVertex', 'VertexAIEmbeddings'],
        ...['google-anthropic-vertex'],
      ],
    ],
    ['mistral_ai', ['ChatMistralAI', 'langchain_mistralai', 'MistralChatGenerator']],
    ['cohere', ['ChatCohere', 'CohereEmbeddings', 'CohereTextEmbedder']],
    ['groq', ['ChatGroq', 'langchain_groq']],
    ['x_ai', ['ChatXAI', 'langchain_xai']],
    ['together', ['ChatTogether', 'TogetherLLM', 'TogetherAIChatGenerator']],
    ['fireworks', ['ChatFireworks', 'FireworksEmbedding']],
    ['deepseek', ['ChatDeepSeek', 'langchain_deepseek']],
    ['ibm.watsonx.ai', ['ChatWatsonx', 'WatsonxLLM', 'langchain_ibm']],
    ['huggingface', ['ChatHuggingFace', 'HuggingFaceInferenceAPI', 'HuggingFaceEndpoint']],
    ['ollama', ['ChatOllama', 'OllamaEmbeddings', 'OllamaChatGenerator']],
    ['cerebras', ['ChatCerebras']],
    ['zhipuai', ['ChatZhipuAI']],
    ['nvidia', ['nvidia_nim', 'langchain_nvidia_ai_endpoints', 'ChatNVIDIA', 'NVIDIAEmbeddings']],
    ['sambanova', ['SambaNova', 'ChatSambaNovaCloud', 'langchain_sambanova']],
    ['minimax', ['MiniMax', 'MiniMaxChat', 'minimax-ai']],
    ['perplexity', ['ChatPerplexity']],
    ['cloudflare', ['ChatCloudflareWorkersAI']],
  ])('is %s', (name, written) => {
    expect(Object.fromEntries(written.map((each) => [each, canonicalProvider(each)]))).toEqual(
      Object.fromEntries(written.map((each) => [each, name])),
    );
  });

  test.each<[written: string, kept: string]>([
    ['OpenAILike', 'openailike'],
    ['openai_compatible', 'openai_compatible'],
    ['langchain', 'langchain'],
    ['langchain_community', 'langchain_community'],
    ['llama_index', 'llama_index'],
    ['openchat', 'openchat'],
    ['chat', 'chat'],
    ['vllm', 'vllm'],
    ['My House LLM', 'my_house_llm'],
  ])('%s names nobody whom the table has', (written, kept) => {
    expect(canonicalProvider(written)).toBe(kept);
  });
});
