import java.util.Map;
import java.util.regex.Pattern;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.server.policy.CreateTopicPolicy;

/** Refuses to create topics whose names match the broker setting {@code signalbox.refused.topics}, for tests. */
public final class RefusedTopics implements CreateTopicPolicy {
    private Pattern refused;

    @Override
    public void configure(Map<String, ?> configs) {
        refused = Pattern.compile(String.valueOf(configs.get("signalbox.refused.topics")));
    }

    @Override
    public void validate(RequestMetadata request) {
        if (refused.matcher(request.topic()).matches()) {
            throw new PolicyViolationException("topics like " + request.topic() + " are refused");
        }
    }

    @Override
    public void close() {}
}
