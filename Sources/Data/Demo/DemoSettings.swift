/// The demo's task file and run file, written as a user would write them, since users start from them.
enum DemoSettings {
    static let tasks = """
        # Four tasks from one small grammar. The keys are those of mt-dnn's task_def files.

        sentiment:  # is the sentence's verdict good or bad?
          data_format: PremiseOnly
          task_type: Classification
          n_class: 2
          labels: [negative, positive]
          metric_meta: [ACC]
          enable_san: false
          dropout_p: 0.0
          loss: CeCriterion

        entailment:  # does the second sentence follow from the first?
          data_format: PremiseAndOneHypothesis
          task_type: Classification
          n_class: 3
          labels: [contradiction, neutral, entailment]
          metric_meta: [ACC]
          enable_san: true
          dropout_p: 0.0
          loss: CeCriterion

        similarity:  # how alike are two sentences, from 0 to 5?
          data_format: PremiseAndOneHypothesis
          task_type: Regression
          n_class: 1
          metric_meta: [Pearson, Spearman]
          enable_san: false
          dropout_p: 0.0
          loss: MseCriterion

        answers:  # which candidate answers the question?
          data_format: PremiseAndMultiHypothesis
          task_type: Ranking
          n_class: 1
          metric_meta: [ACC, MRR]
          enable_san: false
          dropout_p: 0.0
          loss: RankCeCriterion
        """

    /// The seed serves the training too. BERT's first values (deviation 0.02) are meant for 768 hidden units: with 128
    /// they leave attention so flat that it never learns to find a word of one sentence in the other.
    static func run(seed: UInt64) -> String {
        """
        # Trains a small encoder from scratch on all four tasks.
        seed: \(seed)
        encoder:
          hidden_size: 128
          num_hidden_layers: 2
          num_attention_heads: 4
          intermediate_size: 512
          max_position_embeddings: 64
          initializer_range: 0.08
          vocab: vocab.txt
        tasks: tasks.yml
        data: .
        train: [sentiment, entailment, similarity, answers]
        epochs: 7
        batch_size: 32
        slices: 8
        max_length: 64
        optimizer: adamw
        learning_rate: 5.0e-4
        schedule: linear
        warmup: 0.1
        weight_decay: 0.01
        gradient_clip: 1.0
        dropout: 0.0
        task_dropout: 0.0
        """
    }
}
