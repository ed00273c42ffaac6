import Common
import Testing

@testable import TraceStore

/// Token counts by Langfuse's names, each token once.
struct UsageTests {
    @Test(arguments: [
        // Chat completions.
        (
            #"{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17}"#, #"{"input":10,"output":7,"total":17}"#
        ),
        (
            #"{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":null},"completion_tokens_details":{"reasoning_tokens":5}}"#,
            #"{"input":6,"output":2,"total":17,"input_cached_tokens":4,"output_reasoning_tokens":5}"#
        ),
        (
            #"{"prompt_tokens":1,"completion_tokens":0,"total_tokens":1,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":null}"#,
            #"{"input":0,"output":0,"total":1,"input_cached_tokens":4}"#
        ),
        // As Python writes floats.
        (
            #"{"prompt_tokens":10.0,"completion_tokens":7,"total_tokens":17.0,"prompt_tokens_details":{"cached_tokens":4.0}}"#,
            #"{"input":6,"output":7,"total":17,"input_cached_tokens":4}"#
        ),
        (
            #"{"prompt_tokens":1e1,"completion_tokens":7,"total_tokens":17}"#, #"{"input":10,"output":7,"total":17}"#
        ),
        // Responses.
        (
            #"{"input_tokens":9,"output_tokens":8,"total_tokens":17,"input_tokens_details":{"cached_tokens":9},"output_tokens_details":{"reasoning_tokens":3}}"#,
            #"{"input":0,"output":5,"total":17,"input_cached_tokens":9,"output_reasoning_tokens":3}"#
        ),
        // Not quite in OpenAI's form: by their own names.
        (#"{"prompt_tokens":10,"completion_tokens":7}"#, #"{"prompt_tokens":10,"completion_tokens":7}"#),
        (
            #"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"more":4}"#,
            #"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"more":4}"#
        ),
        (
            #"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":"x"}}"#,
            #"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}"#
        ),
        (#"{"input":5,"custom":1.0}"#, #"{"input":5,"custom":1}"#),
    ])
    func `given counts`(given: String, counted: String) {
        #expect(Usage.details(given) == counted)
        let attributes = OTLPAttributes([
            OTLPAttribute(key: "langfuse.observation.usage_details", value: .string(given))
        ])
        #expect(Usage.details(attributes) == counted)
    }

    @Test(
        arguments: [
            (
                [("gen_ai.usage.input_tokens", 10), ("gen_ai.usage.output_tokens", 5)],
                #"{"input":10,"output":5}"#
            ),
            (
                [
                    ("gen_ai.usage.input_tokens", 10), ("gen_ai.usage.cache_read.input_tokens", 4),
                    ("gen_ai.usage.cache_creation.input_tokens", 3), ("gen_ai.usage.output_tokens", 5),
                    ("gen_ai.usage.reasoning.output_tokens", 2),
                ],
                #"{"input":3,"output":3,"input_cached_tokens":4,"input_cache_creation":3,"output_reasoning_tokens":2}"#
            ),
            (
                [
                    ("llm.token_count.prompt", 10), ("llm.token_count.prompt_details.cache_read", 12),
                    ("llm.token_count.completion", 6), ("llm.token_count.completion_details.audio", 1),
                    ("llm.token_count.total", 16), ("gen_ai.usage.details.custom", 8), ("gen_ai.usage.other", 1),
                ],
                #"{"input":0,"output":5,"total":16,"input_cached_tokens":12,"output_audio_tokens":1,"custom":8,"other":1}"#
            ),
            ([("llm.usage.total_tokens", 7)], #"{"total":7}"#), ([("gen_ai.usage.cost", 7)], nil), ([], nil),
        ] as [([(String, Int64)], String?)])
    func `counted attributes`(attributes: [(String, Int64)], counted: String?) {
        #expect(
            Usage.details(OTLPAttributes(attributes.map { OTLPAttribute(key: $0.0, value: .int($0.1)) })) == counted)
    }
}
