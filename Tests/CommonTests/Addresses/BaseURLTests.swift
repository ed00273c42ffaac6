import Common
import Testing

struct BaseURLTests {
    @Test(arguments: [
        ("https://api.openai.com/v1", "https://api.openai.com/v1", "https://api.openai.com:443"),
        ("HTTPS://API.OpenAI.com:443/V1//", "https://api.openai.com/V1", "https://api.openai.com:443"),
        ("http://localhost:8000/", "http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:80", "http://[::1]", "http://[::1]:80"),
        ("http://vllm_1", "http://vllm_1", "http://vllm_1:80"), ("https://a:80", "https://a:80", "https://a:80"),
    ])
    func `it has one normal form`(text: String, normal: String, origin: String) throws {
        let url = try #require(BaseURL(text))
        #expect((url.text, url.origin) == (normal, origin))
        #expect(BaseURL(url.text) == url)
    }

    @Test(arguments: [
        "", "api.openai.com", "ftp://a", "http://", "http:///v1", "http://user@a", "http://u:p@a", "http://a?q",
        "http://a#f", "http://a:0",
        "http://a:65536",
        "http://a:", "http://a:+80", "http://a b", "http://a\\b", "http://[::1", "http://::1", "http://[zz::]",
        "http://é", "http://a/../b",
        "http://a/./b",
        "http://a//b", "http://%61", "http://a\n", "http://-a", "http://.a", "http://[::1]x", "javascript://a",
    ])
    func `others are refused`(text: String) {
        #expect(BaseURL(text) == nil)
    }
}
